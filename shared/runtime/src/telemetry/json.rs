//! A log line as JSON, with the name of the function that wrote it: where the lines of many functions
//! come together, each must say whose it is.
//!
//! The span is added here. Its fields are kept as JSON, which the library would parse and write again
//! for each line.

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormattedFields,
        format::{Format, Json, JsonFields, Writer},
    },
    registry::{LookupSpan, SpanRef},
};

/// Most lines are shorter.
const LINE_BYTES: usize = 1_024;

/// The format of a line: one object, whose first member is `function`.
pub(super) struct NamedLines {
    /// As JSON.
    function: String,
    lines: Format<Json>,
}

impl NamedLines {
    pub(super) fn of(function: &str) -> Self {
        let lines = tracing_subscriber::fmt::format().json();
        let lines = lines.flatten_event(true).with_span_list(false).with_current_span(false);
        Self { function: as_json(function), lines }
    }
}

impl<S> FormatEvent<S, JsonFields> for NamedLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::with_capacity(LINE_BYTES);
        self.lines.format_event(context, Writer::new(&mut line), event)?;
        let line = line.trim_end();
        let members =
            line.strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap_or(line);
        write!(writer, "{{\"function\":{},{members}", self.function)?;
        if let Some(span) =
            event.parent().and_then(|id| context.span(id)).or_else(|| context.lookup_current())
        {
            write_span(&span, &mut writer)?;
        }
        writer.write_str("}\n")
    }
}

/// The innermost span: its fields, and its name.
fn write_span<'a, S: LookupSpan<'a>>(
    span: &SpanRef<'a, S>,
    writer: &mut Writer<'_>,
) -> fmt::Result {
    writer.write_str(",\"span\":{")?;
    let extensions = span.extensions();
    let fields = extensions.get::<FormattedFields<JsonFields>>();
    let members = fields.and_then(|fields| fields.strip_prefix('{')?.strip_suffix('}'));
    if let Some(members) = members.filter(|members| !members.is_empty()) {
        write!(writer, "{members},")?;
    }
    write!(writer, "\"name\":{}}}", as_json(span.name()))
}

fn as_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use serde_json::{Value, json};
    use tracing::{field::Empty, info, info_span, subscriber::with_default};
    use tracing_subscriber::{fmt, fmt::format::JsonFields, layer::SubscriberExt as _, registry};

    use super::*;

    #[test]
    fn a_line_is_an_object_that_names_its_function() {
        let mut file = tempfile::tempfile().unwrap();
        let layer = fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(NamedLines::of("a \"function\""))
            .with_writer(file.try_clone().unwrap());
        with_default(registry().with(layer), || {
            let span = info_span!("batch", trace_id = "abc", span_id = Empty);
            span.record("span_id", "\"}");
            span.in_scope(|| info!(count = 3, "done"));
            info_span!("bare").in_scope(|| info!("done"));
            info!("done");
        });
        file.rewind().unwrap();
        let mut lines = String::new();
        file.read_to_string(&mut lines).unwrap();
        let lines: Vec<Value> = lines.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
        let [line, bare, none] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!(line["function"], "a \"function\"");
        assert_eq!((&line["message"], &line["count"]), (&"done".into(), &3.into()));
        assert_eq!(line["span"], json!({"trace_id": "abc", "span_id": "\"}", "name": "batch"}));
        assert_eq!(bare["span"], json!({"name": "bare"}));
        assert_eq!((&none["message"], none.get("span")), (&"done".into(), None));
    }
}
