//! What a handler adds to the log line of its request.

use std::{borrow::Cow, cell::RefCell};

use axum::extract::MatchedPath;

tokio::task_local! {
    static CURRENT: RefCell<LogFields>;
}

/// A field of a request's log line that only its handler, or an extractor, can know. There are no
/// others, so that a log has no more columns than its readers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogField {
    /// On whose behalf: the identifier of an account or an organization, never of a person.
    Tenant,
    /// Who: the identifier that the issuer of the token has for the caller, and nothing else of it.
    Actor,
    /// Which cache the answer came from, or that it came from none.
    Cache,
}

/// The fields that are known so far.
#[derive(Debug, Clone, Default)]
pub(super) struct LogFields {
    /// The template of the request's route, once the router has found it.
    pub(super) route: Option<MatchedPath>,
    pub(super) tenant: Option<Cow<'static, str>>,
    pub(super) actor: Option<Cow<'static, str>>,
    pub(super) cache: Option<Cow<'static, str>>,
}

impl LogField {
    /// Adds the field to the line of the request that the current task serves, if it serves one; the
    /// last value counts. No personal data but identifiers: it goes into the log.
    pub fn log(self, value: impl Into<Cow<'static, str>>) {
        let value = Some(value.into());
        let set = |fields: &RefCell<LogFields>| match self {
            Self::Tenant => fields.borrow_mut().tenant = value,
            Self::Actor => fields.borrow_mut().actor = value,
            Self::Cache => fields.borrow_mut().cache = value,
        };
        // Outside a request there is no line.
        let _ = CURRENT.try_with(set);
    }
}

impl LogFields {
    /// Adds the route to the line of the request that the current task serves.
    pub(super) fn routed(route: Option<MatchedPath>) {
        let _ = CURRENT.try_with(|fields| fields.borrow_mut().route = route);
    }

    /// Shows what was added so far, by what [`collect`] runs; also while that is dropped.
    pub(super) fn with<T>(show: impl Fn(&Self) -> T) -> T {
        let shown = CURRENT.try_with(|fields| show(&fields.borrow()));
        shown.unwrap_or_else(|_| show(&Self::default()))
    }
}

/// Runs what serves a request, and keeps what it adds.
pub(super) async fn collect<T>(serve: impl Future<Output = T>) -> T {
    CURRENT.scope(RefCell::default(), serve).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_has_what_its_own_request_added_and_the_last_of_it() {
        let serve = async |tenant: &'static str| {
            LogField::Tenant.log(tenant);
            tokio::task::yield_now().await;
            LogField::Cache.log("miss");
            LogField::Cache.log("hit");
            LogFields::with(Clone::clone)
        };
        let both = tokio::join!(collect(serve("acme")), collect(serve("other")));
        for (fields, tenant) in [both.0, both.1].into_iter().zip(["acme", "other"]) {
            assert_eq!(fields.tenant.as_deref(), Some(tenant));
            assert_eq!(fields.cache.as_deref(), Some("hit"));
        }
        LogField::Tenant.log("nobody's");
        let fields = collect(async { LogFields::with(Clone::clone) }).await;
        assert_eq!((fields.tenant, fields.cache), (None, None));
    }
}
