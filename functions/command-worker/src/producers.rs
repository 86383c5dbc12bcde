//! Who may send what through this worker's queue.
//!
//! Whoever may send to a queue can claim to be any tenant and any source. A queue for producers that
//! are trusted with less gets a worker of its own, with lists.

use clap::Args;
use domain::TenantId;
use events::{CommandEvent, Source};
use runtime::sqs::Reject;

/// What the queue's producers may say. Flattened into the worker's configuration.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Producers")]
#[group(skip)]
pub(crate) struct Producers {
    /// Tenants whose tasks may be changed, separated by commas; all, if there are none
    #[arg(long, env, value_delimiter = ',')]
    allowed_tenants: Vec<TenantId>,

    /// Sources whose commands are applied, separated by commas, each whole or a beginning followed by
    /// `*`; all, if there are none
    #[arg(long, env, value_delimiter = ',')]
    allowed_sources: Vec<String>,
}

impl Producers {
    /// Refuses a command that its producer may not send.
    pub(crate) fn check(&self, event: &CommandEvent) -> Result<(), Reject> {
        let tenants = &self.allowed_tenants;
        if !tenants.is_empty() && !tenants.contains(&event.command.tenant) {
            return Err(refused("tenant"));
        }
        let sources = &self.allowed_sources;
        if !sources.is_empty() && !sources.iter().any(|allowed| covers(allowed, &event.source)) {
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
    let detail = format!("this queue takes no commands of this {attribute}: ask its operators");
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
    fn tenant_and_source_must_be_listed() {
        let producers = Producers {
            allowed_tenants: vec!["acme".parse().unwrap()],
            allowed_sources: vec!["/billing/*".to_owned(), "/shop".to_owned()],
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
