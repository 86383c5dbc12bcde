//! Who may send what through this worker's queue.
//!
//! Whoever may send to a queue can claim to be any tenant and any source. A queue for producers that
//! are trusted with less gets a worker of its own, with lists.
//!
//! The service's own sources (`urn:task-app:*`) are the namespaces of its idempotency keys: who sends
//! under one could take the key of somebody's request, and become the outcome of their operation.
//! So none is taken from a queue, but for the one that `task-writer` itself sends through the command
//! queue (`Prefer: respond-async`). Whoever else may send to *that* queue may act for any tenant
//! already, so it gives them nothing that they have not; a queue of others should allow none.

use clap::Args;
use domain::TenantId;
use events::{CommandEvent, DecodeError, Source};
use runtime::sqs::Reject;

/// What the queue's producers may say. Flattened into the worker's configuration.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Producers")]
#[group(skip)]
#[expect(clippy::struct_field_names, reason = "they are the names of the settings")]
pub(crate) struct Producers {
    /// Tenants whose tasks may be changed, separated by commas; all, if there are none
    #[arg(long, env, value_delimiter = ',')]
    allowed_tenants: Vec<TenantId>,

    /// Sources whose commands are applied, separated by commas, each whole or a beginning followed by
    /// `*`; all, if there are none
    #[arg(long, env, value_delimiter = ',')]
    allowed_sources: Vec<String>,

    /// Sources of the service itself (`urn:task-app:*`) that may come through the queue, written as
    /// those of `ALLOWED_SOURCES`, which must allow them, too. The default is what task-writer sends to
    /// its `COMMAND_QUEUE_URL`; empty on a queue that it does not send to
    #[arg(long, env, value_delimiter = ',', default_value = Source::HTTP)]
    allowed_own_sources: Vec<String>,
}

impl Producers {
    /// Refuses a command that its producer may not send.
    pub(crate) fn check(&self, event: &CommandEvent) -> Result<(), Reject> {
        let tenants = &self.allowed_tenants;
        if !tenants.is_empty() && !tenants.contains(&event.command.tenant) {
            return Err(refused("tenant"));
        }
        let listed = |list: &[String]| list.iter().any(|allowed| covers(allowed, &event.source));
        if event.source.is_reserved() && !listed(&self.allowed_own_sources) {
            let error = DecodeError::source_reserved();
            return Err(Reject::new(error.reason.code(), error.to_string()));
        }
        if !self.allowed_sources.is_empty() && !listed(&self.allowed_sources) {
            return Err(refused("source"));
        }
        Ok(())
    }
}

fn covers(allowed: &str, source: &Source) -> bool {
    match allowed.strip_suffix('*') {
        Some(beginning) => source.as_str().starts_with(beginning),
        None => source.as_str() == allowed,
    }
}

fn refused(attribute: &str) -> Reject {
    let detail =
        format!("this queue accepts no commands of this {attribute}: contact its operators");
    Reject::new("producer_not_allowed", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(tenant: &str, source: &str) -> CommandEvent {
        let event = format!(
            r#"{{"specversion":"1.0","id":"1","source":"{source}",
            "type":"dev.task-app.complete-task.v1","subject":"0192f1a0-9d02-7c11-8f6e-5b2c7e9a4d20",
            "time":"2026-01-31T09:30:00Z","datacontenttype":"application/json","tenant":"{tenant}",
            "data":{{}}}}"#
        );
        events::decode(&event).unwrap()
    }

    #[test]
    fn without_lists_everybody_may_send_everything() {
        assert!(Producers::default().check(&event("acme", "/any")).is_ok());
    }

    #[test]
    fn sources_of_ours_are_refused_unless_they_are_allowed() {
        let reason = |allowed: &[&str], source: &str| {
            let allowed_own_sources = allowed.iter().map(|one| (*one).to_owned()).collect();
            let producers = Producers { allowed_own_sources, ..Producers::default() };
            producers.check(&event("acme", source)).err().map(|reject| reject.reason)
        };
        for (allowed, source, expected) in [
            (&[""][..], Source::HTTP, Some("source_reserved")),
            (&[Source::HTTP], Source::HTTP, None),
            (&[Source::HTTP], "urn:task-app:http:attachment", Some("source_reserved")),
            (&[Source::HTTP], "URN:Task-App:http", Some("source_reserved")),
            (&["urn:task-app:*"], "urn:task-app:http:batch", None),
            (&[""], "urn:task-app", None),
            (&[""], "/task-app", None),
        ] {
            assert_eq!(reason(allowed, source), expected, "{allowed:?} {source}");
        }
    }

    #[test]
    fn tenant_and_source_must_be_listed() {
        let producers = Producers {
            allowed_tenants: vec!["acme".parse().unwrap()],
            allowed_sources: vec!["/billing/*".to_owned(), "/shop".to_owned()],
            ..Producers::default()
        };
        for (tenant, source, allowed) in [
            ("acme", "/billing/invoices", true),
            ("acme", "/shop", true),
            ("acme", "/shop/other", false),
            ("acme", "/billin", false),
            ("other", "/shop", false),
        ] {
            let checked = producers.check(&event(tenant, source));
            assert_eq!(checked.is_ok(), allowed, "{tenant} {source}");
            assert!(
                checked.is_err_and(|reject| reject.reason == "producer_not_allowed") || allowed
            );
        }
    }
}
