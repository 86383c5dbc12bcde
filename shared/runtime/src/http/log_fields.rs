//! What a handler adds to the log line of its request.

use std::{borrow::Cow, cell::RefCell};

use axum::extract::MatchedPath;
use tracing::Span;

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

/// The request's span, and the fields that are known so far.
#[derive(Debug, Clone)]
pub(super) struct LogFields {
    pub(super) span: Span,
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
        // Outside a request there is no line.
        let _ = LogFields::with(|fields| match self {
            Self::Tenant => fields.tenant = value,
            Self::Actor => fields.actor = value,
            Self::Cache => fields.cache = value,
        });
    }
}

impl LogFields {
    /// Shows or changes what was added so far, by what [`collect`] runs; also while that is dropped.
    /// `None` outside.
    pub(super) fn with<T>(access: impl FnOnce(&mut Self) -> T) -> Option<T> {
        CURRENT.try_with(|fields| access(&mut fields.borrow_mut())).ok()
    }
}

/// Runs what serves the request of a span, and keeps what it adds.
pub(super) async fn collect<T>(span: Span, serve: impl Future<Output = T>) -> T {
    let fields = LogFields { span, route: None, tenant: None, actor: None, cache: None };
    CURRENT.scope(RefCell::new(fields), serve).await
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
            LogFields::with(|fields| fields.clone()).unwrap()
        };
        let collected = |tenant| collect(Span::none(), serve(tenant));
        let both = tokio::join!(collected("acme"), collected("other"));
        for (fields, tenant) in [both.0, both.1].into_iter().zip(["acme", "other"]) {
            assert_eq!(fields.tenant.as_deref(), Some(tenant));
            assert_eq!(fields.cache.as_deref(), Some("hit"));
        }
        LogField::Tenant.log("nobody's");
        assert!(LogFields::with(|_| ()).is_none());
        let fields = collect(Span::none(), async { LogFields::with(|fields| fields.clone()) });
        let fields = fields.await.unwrap();
        assert_eq!((fields.tenant, fields.cache), (None, None));
    }
}
