//! A log line as JSON, with the name of the function that wrote it: where the lines of many functions
//! come together, each must say whose it is.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
};

/// The format of a line: one object, whose first member is `function`.
pub(super) struct NamedLines {
    /// As JSON.
    function: String,
    lines: Format<Json>,
}

impl NamedLines {
    pub(super) fn of(function: &str) -> Self {
        let lines = tracing_subscriber::fmt::format().json();
        Self {
            function: serde_json::Value::from(function).to_string(),
            lines: lines.flatten_event(true).with_span_list(false),
        }
    }
}

impl<S, N> FormatEvent<S, N> for NamedLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::new();
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        let members = line.strip_prefix('{').unwrap_or(&line);
        write!(writer, "{{\"function\":{},{members}", self.function)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use serde_json::Value;
    use tracing::{info, info_span, subscriber::with_default};
    use tracing_subscriber::{fmt, fmt::format::JsonFields, layer::SubscriberExt as _, registry};

    use super::*;

    #[test]
    fn a_line_is_an_object_that_names_its_function() {
        let mut file = tempfile::tempfile().unwrap();
        let layer = fmt::layer()
            .event_format(NamedLines::of("a \"function\""))
            .fmt_fields(JsonFields::new())
            .with_writer(file.try_clone().unwrap());
        with_default(registry().with(layer), || {
            info_span!("batch", trace_id = "abc").in_scope(|| info!(count = 3, "done"));
        });
        file.rewind().unwrap();
        let mut line = String::new();
        file.read_to_string(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["function"], "a \"function\"");
        assert_eq!((&line["message"], &line["count"]), (&"done".into(), &3.into()));
        assert_eq!(line["span"]["trace_id"], "abc");
    }
}
