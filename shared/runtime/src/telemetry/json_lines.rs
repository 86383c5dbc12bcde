//! A line of the log as JSON, with the name of the function that wrote it: where the lines of many functions
//! come together, each must say whose it is.
//!
//! The library's own lines pass each piece through `fmt`, and parse a span's fields to write them again.
//! Each request has a line, so here pieces are written as bytes, and once.

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;

use serde::Serialize;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::{
    Layer,
    fmt::MakeWriter,
    layer::Context,
    registry::{LookupSpan, SpanRef},
};

use crate::{Clock as _, SystemClock, clock::rfc3339};

/// Most lines are shorter; the memory of a longer one is not kept.
const KEPT_BYTES: usize = 4 << 10;

thread_local! {
    /// Memory for this thread's next line.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Writes each event as one object, whose first member is `function`.
pub(crate) struct JsonLines<W> {
    function: &'static str,
    writer: W,
}

impl<W> JsonLines<W> {
    pub(crate) fn new(function: &'static str, writer: W) -> Self {
        Self { function, writer }
    }

    fn write<S>(&self, line: &mut Vec<u8>, event: &Event<'_>, context: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        // What comes by the crate `log` says its target in a field.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        line.push(b'{');
        let mut members = Members(line);
        members.add_text("function", self.function);
        members.add_text("timestamp", &rfc3339(SystemClock.now()));
        members.add_text("level", metadata.level().as_str());
        event.record(&mut members);
        members.add_text("target", metadata.target());
        if let Some(span) = context.event_span(event) {
            write_span(line, &span);
        }
        line.extend_from_slice(b"}\n");
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = SpanFields::default();
        attributes.record(&mut Members(&mut fields.0));
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(fields) = span.extensions_mut().get_mut::<SpanFields>() {
            values.record(&mut Members(&mut fields.0));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // Taken and not borrowed: a field that logs while it is shown has a line of its own.
        let mut line = LINE.take();
        self.write(&mut line, event, &context);
        // Nobody reads the log any more, and there is nowhere else to say so.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&line);
        line.clear();
        line.shrink_to(KEPT_BYTES);
        LINE.set(line);
    }
}

/// The fields of a span, as they stand in its lines.
#[derive(Default)]
struct SpanFields(Vec<u8>);

/// The innermost span: its fields, and its name.
fn write_span<'a, S: LookupSpan<'a>>(line: &mut Vec<u8>, span: &SpanRef<'a, S>) {
    line.extend_from_slice(b",\"span\":{");
    if let Some(SpanFields(fields)) = span.extensions().get() {
        line.extend_from_slice(fields);
    }
    Members(line).add_text("name", span.name());
    line.push(b'}');
}

/// Adds members to an object that was begun, or to none yet.
struct Members<'a>(&'a mut Vec<u8>);

impl Members<'_> {
    fn add(&mut self, name: &str, value: &impl Serialize) {
        self.begin(name);
        self.write(value);
    }

    fn add_text(&mut self, name: &str, text: &str) {
        self.begin(name);
        self.write_text(text);
    }

    fn begin(&mut self, name: &str) {
        if self.0.last().is_some_and(|last| *last != b'{') {
            self.0.push(b',');
        }
        self.write_text(name);
        self.0.push(b':');
    }

    /// Most texts have nothing to escape, and are copied at once.
    fn write_text(&mut self, text: &str) {
        // Counted, for a search that ends early looks at one byte at a time.
        let is_escaped = |byte: &u8| matches!(byte, 0..b' ' | b'"' | b'\\');
        if text.bytes().filter(is_escaped).count() > 0 {
            return self.write(text);
        }
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    fn write(&mut self, value: &(impl Serialize + ?Sized)) {
        // Texts and numbers do not fail, and neither does memory.
        let _ = serde_json::to_writer(&mut *self.0, value);
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add_text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), &format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};

    use serde_json::{Value, json};
    use tracing::{field::Empty, info, info_span, subscriber::with_default, warn};
    use tracing_subscriber::{layer::SubscriberExt as _, registry};

    use super::*;

    fn lines(log: impl FnOnce()) -> Vec<Value> {
        let mut file = tempfile::tempfile().unwrap();
        let layer = JsonLines::new("a \"function\"", file.try_clone().unwrap());
        with_default(registry().with(layer), log);
        file.rewind().unwrap();
        let mut lines = String::new();
        file.read_to_string(&mut lines).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_an_object_that_names_its_function() {
        let lines = lines(|| warn!(target: "of", count = 3, part = 0.5, ok = true, "done"));
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let time = line["timestamp"].as_str().unwrap();
        assert!(time.parse::<chrono::DateTime<chrono::Utc>>().is_ok() && time.ends_with('Z'));
        let expected = json!({
            "function": "a \"function\"", "timestamp": time, "level": "WARN", "message": "done",
            "count": 3, "part": 0.5, "ok": true, "target": "of",
        });
        assert_eq!(*line, expected);
    }

    #[test]
    fn a_line_has_the_innermost_span_and_what_was_recorded_in_it_so_far() {
        let lines = lines(|| {
            let span = info_span!("batch", trace_id = "abc", span_id = Empty);
            span.in_scope(|| info!("begun"));
            span.record("span_id", "\"}\n");
            span.in_scope(|| info!("done"));
            span.in_scope(|| info_span!("bare").in_scope(|| info!("done")));
            info!(parent: &span, "done");
            info!("done");
        });
        let spans: Vec<_> = lines.iter().map(|line| line["span"].clone()).collect();
        let whole = json!({"trace_id": "abc", "span_id": "\"}\n", "name": "batch"});
        let begun = json!({"trace_id": "abc", "name": "batch"});
        let bare = json!({"name": "bare"});
        assert_eq!(spans, [begun, whole.clone(), bare, whole, Value::Null]);
    }
}
