//! Trace context: whom a request or a message comes from, by W3C and by AWS.
//!
//! The spans of the harness are of the level `ERROR`, so that whatever `LOG_LEVEL` says, a line that
//! is logged has the ids by which to find its trace.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tokio::task_local;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

task_local! {
    static INVOKER: Option<SpanContext>;
}

/// The header, attribute and event member that W3C names.
pub(crate) const TRACEPARENT: &str = "traceparent";
/// The header in which AWS's load balancers and gateways pass their own.
pub(crate) const AWS_HEADER: &str = "x-amzn-trace-id";

/// Reads a `traceparent`, `00-<trace>-<span>-<flags>`; a version of the future may say more after it.
pub(crate) fn w3c(value: &str) -> Option<SpanContext> {
    let mut parts = value.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (span, flags) = (parts.next()?, parts.next()?);
    let known = version == "00" && parts.next().is_none();
    let future = is_hex(version, 2) && version != "00" && version != "ff";
    if !(known || future) || !is_hex(flags, 2) {
        return None;
    }
    context(trace, span, u8::from_str_radix(flags, 16).ok()? & 1 == 1)
}

/// Reads AWS's form, `Root=1-<8 digits>-<24 digits>;Parent=<span>;Sampled=1`, as it stands in
/// `X-Amzn-Trace-Id` and in a message's `AWSTraceHeader`. Without a parent there is nobody to link to.
pub(crate) fn aws(value: &str) -> Option<SpanContext> {
    let field = |name| {
        value.split(';').find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (epoch, rest) = field("Root")?.strip_prefix("1-")?.split_once('-')?;
    context(&format!("{epoch}{rest}"), field("Parent")?, field("Sampled") == Some("1"))
}

/// Begins an invocation's span, whose parent is the one that Lambda names; returns what the spans of
/// its work belong to if nobody else is named.
///
/// A trace that Lambda does not sample is nobody's: it sends one with every invocation, also where
/// X-Ray is off, and taken as a parent it would silence all that no caller samples.
pub(crate) fn begin_invocation(span: &Span, header: Option<&str>) -> Option<SpanContext> {
    let caller = header.and_then(aws).filter(SpanContext::is_sampled);
    begin(span, caller.as_ref());
    Some(own(span)).filter(SpanContext::is_valid).or(caller)
}

/// Does an invocation's work, for which [`invoker`] is `invoker`.
pub(crate) async fn invoked_by<F: Future>(invoker: Option<SpanContext>, work: F) -> F::Output {
    INVOKER.scope(invoker, work).await
}

/// What a span belongs to if nobody else is named: in a pod nothing.
pub(crate) fn invoker() -> Option<SpanContext> {
    INVOKER.try_with(Clone::clone).ok().flatten()
}

/// Begins a span: gives it its parent, and its ids to its log lines (the fields `trace_id` and
/// `span_id`, which it must have). Says whether the span will be exported.
///
/// Links must have been added by then.
pub(crate) fn begin(span: &Span, parent: Option<&SpanContext>) -> bool {
    if let Some(parent) = parent {
        // It fails if nothing is exported, or if the span has begun, which it has not.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent.clone()));
    }
    let own = own(span);
    if own.is_valid() {
        span.record("span_id", own.span_id().to_string());
    }
    if let Some(known) = Some(&own).filter(|own| own.is_valid()).or(parent) {
        span.record("trace_id", known.trace_id().to_string());
    }
    own.is_sampled()
}

fn own(span: &Span) -> SpanContext {
    span.context().span().span_context().clone()
}

fn context(trace: &str, span: &str, sampled: bool) -> Option<SpanContext> {
    if !is_hex(trace, 32) || !is_hex(span, 16) {
        return None;
    }
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let flags = TraceFlags::default().with_sampled(sampled);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// Lower-case digits only, as W3C wants it.
fn is_hex(digits: &str, length: usize) -> bool {
    digits.len() == length && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn ids(context: Option<SpanContext>) -> Option<(String, String, bool)> {
        context.map(|context| {
            assert!(context.is_remote());
            let (trace, span) = (context.trace_id(), context.span_id());
            (trace.to_string(), span.to_string(), context.is_sampled())
        })
    }

    fn expected(sampled: bool) -> (String, String, bool) {
        (TRACE.to_owned(), SPAN.to_owned(), sampled)
    }

    #[test]
    fn reads_what_w3c_describes() {
        assert_eq!(ids(w3c(&format!("00-{TRACE}-{SPAN}-01"))), Some(expected(true)));
        assert_eq!(ids(w3c(&format!("00-{TRACE}-{SPAN}-00"))), Some(expected(false)));
        assert_eq!(ids(w3c(&format!("01-{TRACE}-{SPAN}-03-later"))), Some(expected(true)));
    }

    #[test]
    fn refuses_what_w3c_refuses() {
        let zero = "0".repeat(32);
        for wrong in [
            "",
            &format!("00-{TRACE}-{SPAN}"),
            &format!("00-{TRACE}-{SPAN}-01-more"),
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("00-{zero}-{SPAN}-01"),
            &format!("00-{TRACE}-{}-01", "0".repeat(16)),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            &format!("00-{TRACE}-{SPAN}-0x"),
        ] {
            assert_eq!(ids(w3c(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn reads_what_aws_describes() {
        let header = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1";
        assert_eq!(ids(aws(header)), Some(expected(true)));
        assert_eq!(
            ids(aws(&header.replace("Sampled=1", "Sampled=0;Lineage=x"))),
            Some(expected(false))
        );
        assert_eq!(ids(aws("Root=1-4bf92f35-77b34da6a3ce929d0e0e4736")), None);
        assert_eq!(ids(aws("Root=1-x;Parent=y")), None);
    }

    proptest! {
        #[test]
        fn nothing_panics(value: String) {
            w3c(&value);
            aws(&value);
        }
    }
}
