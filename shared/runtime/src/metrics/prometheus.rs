//! A pod's metrics in Prometheus's text format.
//!
//! A recorder of our own: the published one begins each process with milliseconds of a processor, to
//! measure its clock, and keeps every value of a histogram until they are folded.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use metrics::{
    Counter, Gauge, GaugeFn as _, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use metrics_util::registry::{Registry, Storage};

use super::buckets;

/// What was measured since the process began.
pub(crate) struct Prometheus {
    registry: Registry<Key, Kept>,
    help: Mutex<BTreeMap<String, SharedString>>,
}

/// How the values of a series are kept.
struct Kept;

/// The values of a histogram by size. While more are recorded, the sum may be that of a few more or
/// fewer than are counted.
struct Sizes {
    limits: &'static [f64],
    /// For each limit, the values that exceed the one before and not this one; then those that exceed
    /// all.
    counts: Vec<AtomicU64>,
    /// The bits of a float.
    sum: AtomicU64,
}

/// The kind of each metric, and the lines of its series.
#[derive(Default)]
struct Text(BTreeMap<String, (&'static str, String)>);

impl Prometheus {
    pub(crate) fn new() -> Self {
        Self { registry: Registry::new(Kept), help: Mutex::default() }
    }

    /// All metrics by name, each with its meaning, its kind and its series.
    pub(crate) fn render(&self) -> String {
        let mut text = Text::default();
        self.registry.visit_counters(|key, counter| {
            text.add("counter", key, "", None, counter.load(Relaxed));
        });
        self.registry.visit_gauges(|key, gauge| {
            text.add("gauge", key, "", None, f64::from_bits(gauge.load(Relaxed)));
        });
        self.registry.visit_histograms(|key, sizes| sizes.add_to(&mut text, key));
        let help = self.help.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = String::new();
        for (name, (kind, series)) in text.0 {
            if let Some(help) = help.get(&name) {
                let help = help.replace('\\', r"\\").replace('\n', r"\n");
                _ = writeln!(all, "# HELP {name} {help}");
            }
            _ = writeln!(all, "# TYPE {name} {kind}\n{series}");
        }
        all
    }

    fn describe(&self, name: &KeyName, help: SharedString) {
        let mut all = self.help.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(valid(name.as_str())).or_insert(help);
    }
}

impl Sizes {
    fn add_to(&self, text: &mut Text, key: &Key) {
        let mut count = 0;
        let mut limits = self.limits.iter().map(f64::to_string);
        for counted in &self.counts {
            count += counted.load(Relaxed);
            let limit = limits.next().unwrap_or_else(|| "+Inf".to_owned());
            text.add("histogram", key, "_bucket", Some(&limit), count);
        }
        text.add("histogram", key, "_sum", None, f64::from_bits(self.sum.load(Relaxed)));
        text.add("histogram", key, "_count", None, count);
    }
}

impl HistogramFn for Sizes {
    fn record(&self, value: f64) {
        let place = self.limits.partition_point(|limit| *limit < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Relaxed);
        }
        self.sum.increment(value);
    }
}

impl Text {
    /// Adds a line: the name with a suffix, the labels with that of a bucket, and the value.
    fn add(
        &mut self,
        kind: &'static str,
        key: &Key,
        suffix: &str,
        limit: Option<&str>,
        value: impl Display,
    ) {
        let name = valid(key.name());
        let labels = key.labels().map(|label| (valid(label.key()), label.value()));
        let labels = labels.chain(limit.map(|limit| ("le".to_owned(), limit)));
        let labels: Vec<_> =
            labels.map(|(key, value)| format!("{key}=\"{}\"", quoted(value))).collect();
        let (_, lines) = self.0.entry(name.clone()).or_insert((kind, String::new()));
        _ = match labels.as_slice() {
            [] => writeln!(lines, "{name}{suffix} {value}"),
            labels => writeln!(lines, "{name}{suffix}{{{}}} {value}", labels.join(",")),
        };
    }
}

/// A name with an underscore in place of what none may have.
fn valid(name: &str) -> String {
    let is_valid = |(at, letter): (usize, char)| {
        letter.is_ascii_alphabetic()
            || matches!(letter, '_' | ':')
            || at > 0 && letter.is_ascii_digit()
    };
    let letters = name.chars().enumerate();
    letters.map(|(at, letter)| if is_valid((at, letter)) { letter } else { '_' }).collect()
}

fn quoted(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

impl Storage<Key> for Kept {
    type Counter = Arc<AtomicU64>;
    type Gauge = Arc<AtomicU64>;
    type Histogram = Arc<Sizes>;

    fn counter(&self, _: &Key) -> Self::Counter {
        Arc::default()
    }

    fn gauge(&self, _: &Key) -> Self::Gauge {
        Arc::default()
    }

    fn histogram(&self, key: &Key) -> Self::Histogram {
        let limits = buckets(key.name());
        let counts = (0..=limits.len()).map(|_| AtomicU64::default()).collect();
        Arc::new(Sizes { limits, counts, sum: AtomicU64::default() })
    }
}

impl Recorder for Prometheus {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, help: SharedString) {
        self.describe(&name, help);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry.get_or_create_counter(key, |counter| Counter::from_arc(Arc::clone(counter)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry.get_or_create_gauge(key, |gauge| Gauge::from_arc(Arc::clone(gauge)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry.get_or_create_histogram(key, |sizes| Histogram::from_arc(Arc::clone(sizes)))
    }
}

#[cfg(test)]
mod tests {
    use metrics::{
        counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
        with_local_recorder,
    };

    use super::*;

    fn rendered(measure: impl FnOnce()) -> String {
        let recorder = Prometheus::new();
        with_local_recorder(&recorder, measure);
        recorder.render()
    }

    #[test]
    fn metrics_are_shown_by_name_with_their_meaning_and_their_kind() {
        let text = rendered(|| {
            describe_gauge!("in_flight", "Begun and\nnot done: \\");
            describe_counter!("done_total", "What was done");
            describe_histogram!("unused_seconds", "Nothing");
            gauge!("in_flight").increment(2.5);
            gauge!("in_flight").decrement(1.0);
            counter!("done_total", "queue" => "q", "reason" => "").increment(3);
            counter!("done_total", "queue" => "q", "reason" => "").increment(1);
        });
        let expected = r#"# HELP done_total What was done
# TYPE done_total counter
done_total{queue="q",reason=""} 4

# HELP in_flight Begun and\nnot done: \\
# TYPE in_flight gauge
in_flight 1.5

"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn a_histogram_counts_each_value_in_the_buckets_whose_limit_it_does_not_exceed() {
        let text = rendered(|| {
            let size = histogram!(crate::metrics::BATCH_SIZE, "queue" => "q");
            for value in [1.0, 1.5, 2.0, 1_000.0, 5_000.0] {
                size.record(value);
            }
        });
        for line in [
            "# TYPE handler_batch_size histogram",
            r#"handler_batch_size_bucket{queue="q",le="1"} 1"#,
            r#"handler_batch_size_bucket{queue="q",le="2"} 3"#,
            r#"handler_batch_size_bucket{queue="q",le="250"} 3"#,
            r#"handler_batch_size_bucket{queue="q",le="1000"} 4"#,
            r#"handler_batch_size_bucket{queue="q",le="+Inf"} 5"#,
            r#"handler_batch_size_sum{queue="q"} 6004.5"#,
            r#"handler_batch_size_count{queue="q"} 5"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn a_metric_has_the_buckets_of_its_unit() {
        let text = rendered(|| {
            histogram!("any_seconds").record(0.0011);
            histogram!(crate::metrics::QUEUE_AGE).record(86_400.0);
            histogram!("any_size").record(3.0);
        });
        for line in [
            r#"any_seconds_bucket{le="0.001"} 0"#,
            r#"any_seconds_bucket{le="0.0025"} 1"#,
            r#"queue_age_seconds_bucket{le="3600"} 0"#,
            r#"queue_age_seconds_bucket{le="86400"} 1"#,
            r#"any_size_bucket{le="5"} 1"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn no_name_and_no_value_spoils_the_text() {
        let text = rendered(|| counter!("1.a-b", "a.b" => "\"\\\n").increment(1));
        assert_eq!(text, "# TYPE __a_b counter\n__a_b{a_b=\"\\\"\\\\\\n\"} 1\n\n");
    }
}
