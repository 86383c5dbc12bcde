//! CloudWatch's embedded metric format (EMF): metrics as log lines, which CloudWatch takes apart.
//!
//! A Lambda is frozen between invocations, so nothing can be scraped or sent in the background; a
//! log line costs no connection. A recorder of our own, for the published ones keep 100 values of a
//! histogram between two flushes and drop the rest, and one invocation may bring 10,000 messages.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    sync::{Arc, OnceLock, atomic::Ordering::Relaxed},
};

use anyhow::anyhow;
use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    set_global_recorder,
};
use metrics_util::registry::{AtomicStorage, Registry};
use serde_json::{Map, Value, json};
use tracing::error;

use crate::{Clock, SystemClock};

/// The values that one line may have of one metric, by the format.
const MOST_VALUES: usize = 100;
/// The dimension that every metric has.
const FUNCTION: &str = "function";

static INSTALLED: OnceLock<Arc<Emf>> = OnceLock::new();

/// Installs a Lambda's recorder.
pub(crate) fn install(function: &'static str, namespace: String) -> anyhow::Result<()> {
    let emf = Arc::new(Emf { registry: Registry::atomic(), function, namespace });
    set_global_recorder(Arc::clone(&emf)).map_err(|error| anyhow!("{error}"))?;
    INSTALLED.set(emf).map_err(|_| anyhow!("the recorder is installed already"))
}

/// Writes what was measured since the last time; to be called at the end of each invocation. In a
/// pod, which is scraped, it does nothing.
pub(crate) fn flush() {
    let Some(emf) = INSTALLED.get() else { return };
    let lines = emf.take(SystemClock.now().timestamp_millis());
    if let Err(error) = io::stdout().lock().write_all(lines.as_bytes()) {
        error!(%error, "the metrics of an invocation are lost");
    }
}

struct Emf {
    registry: Registry<Key, AtomicStorage>,
    function: &'static str,
    namespace: String,
}

/// The metrics of one set of labels: the name and the values of each.
type Group = BTreeMap<String, Vec<f64>>;

impl Emf {
    /// One line for each set of labels, and more where a metric has more values than fit.
    fn take(&self, at: i64) -> String {
        let mut lines = String::new();
        for (labels, mut group) in self.drain() {
            while let Some(part) = cut(&mut group) {
                lines.push_str(&self.line(&labels, &part, at).to_string());
                lines.push('\n');
            }
        }
        lines
    }

    /// Counters begin again at zero, histograms empty; gauges stay.
    fn drain(&self) -> BTreeMap<BTreeMap<String, String>, Group> {
        let mut groups = BTreeMap::new();
        let mut add = |key: &Key, values: Vec<f64>| {
            if !values.is_empty() {
                let group: &mut Group = groups.entry(labels(key)).or_default();
                group.insert(key.name().to_owned(), values);
            }
        };
        self.registry.visit_counters(|key, counter| {
            let count = counter.swap(0, Relaxed);
            add(key, (count > 0).then(|| float(count)).into_iter().collect());
        });
        self.registry
            .visit_gauges(|key, gauge| add(key, vec![f64::from_bits(gauge.load(Relaxed))]));
        self.registry.visit_histograms(|key, histogram| {
            let mut values = Vec::new();
            histogram.clear_with(|block| values.extend_from_slice(block));
            add(key, values);
        });
        groups
    }

    fn line(&self, labels: &BTreeMap<String, String>, part: &Group, at: i64) -> Value {
        let metrics: Vec<_> =
            part.keys().map(|name| json!({ "Name": name, "Unit": unit(name) })).collect();
        // CloudWatch refuses a dimension that is named twice.
        let others = labels.keys().map(String::as_str).filter(|name| *name != FUNCTION);
        let dimensions: Vec<_> = [FUNCTION].into_iter().chain(others).collect();
        let directive =
            json!({ "Namespace": self.namespace, "Dimensions": [dimensions], "Metrics": metrics });
        let mut line = Map::new();
        line.insert(FUNCTION.to_owned(), self.function.into());
        line.extend(labels.iter().map(|(name, value)| (name.clone(), value.as_str().into())));
        line.extend(part.iter().map(|(name, values)| (name.clone(), values.as_slice().into())));
        line.insert(
            "_aws".to_owned(),
            json!({ "Timestamp": at, "CloudWatchMetrics": [directive] }),
        );
        Value::Object(line)
    }
}

/// Takes the next line's values out of a group; `None` when none are left.
fn cut(group: &mut Group) -> Option<Group> {
    let part = group
        .iter_mut()
        .map(|(name, values)| {
            let end = values.len().min(MOST_VALUES);
            (name.clone(), values.drain(..end).collect())
        })
        .collect();
    group.retain(|_, values| !values.is_empty());
    Some(part).filter(|part: &Group| !part.is_empty())
}

/// CloudWatch refuses a dimension without a value, such as the reason of an ack.
fn labels(key: &Key) -> BTreeMap<String, String> {
    key.labels()
        .filter(|label| !label.value().is_empty())
        .map(|label| (label.key().to_owned(), label.value().to_owned()))
        .collect()
}

/// A name ends in its unit, as Prometheus has it.
fn unit(name: &str) -> &'static str {
    if name.ends_with("_seconds") { "Seconds" } else { "Count" }
}

#[expect(clippy::cast_precision_loss, reason = "nothing is counted to 2^52 in one invocation")]
fn float(count: u64) -> f64 {
    count as f64
}

impl Recorder for Emf {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.registry.get_or_create_counter(key, |counter| Counter::from_arc(Arc::clone(counter)))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.registry.get_or_create_gauge(key, |gauge| Gauge::from_arc(Arc::clone(gauge)))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.registry
            .get_or_create_histogram(key, |histogram| Histogram::from_arc(Arc::clone(histogram)))
    }
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram, with_local_recorder};

    use super::*;

    fn taken(emf: &Emf) -> Vec<Value> {
        emf.take(1_700_000_000_123)
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn emf() -> Emf {
        Emf { registry: Registry::atomic(), function: "test", namespace: "space".to_owned() }
    }

    #[test]
    fn a_line_is_what_cloudwatch_documents() {
        let emf = emf();
        with_local_recorder(&emf, || {
            counter!("done_total", "queue" => "q", "reason" => "").increment(3);
            histogram!("age_seconds", "queue" => "q").record(0.5);
        });
        let expected = json!({
            "_aws": {
                "Timestamp": 1_700_000_000_123_i64,
                "CloudWatchMetrics": [{
                    "Namespace": "space",
                    "Dimensions": [["function", "queue"]],
                    "Metrics": [
                        { "Name": "age_seconds", "Unit": "Seconds" },
                        { "Name": "done_total", "Unit": "Count" },
                    ],
                }],
            },
            "function": "test",
            "queue": "q",
            "age_seconds": [0.5],
            "done_total": [3.0],
        });
        assert_eq!(taken(&emf), [expected]);
    }

    #[test]
    fn a_metric_that_names_its_function_has_that_dimension_once() {
        let emf = emf();
        with_local_recorder(&emf, || {
            gauge!("build_info", "function" => "test", "version" => "1").set(1.0);
        });
        let dimensions = &taken(&emf)[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"];
        assert_eq!(*dimensions, json!([["function", "version"]]));
    }

    #[test]
    fn each_set_of_labels_has_a_line_of_its_own() {
        let emf = emf();
        with_local_recorder(&emf, || {
            counter!("done_total", "verdict" => "ack").increment(1);
            counter!("done_total", "verdict" => "reject").increment(2);
        });
        let lines = taken(&emf);
        let counts: Vec<_> = lines.iter().map(|line| &line["done_total"][0]).collect();
        assert_eq!(counts, [1.0, 2.0]);
        assert_eq!(lines[1]["verdict"], "reject");
    }

    #[test]
    fn nothing_is_reported_twice_but_gauges() {
        let emf = emf();
        with_local_recorder(&emf, || {
            counter!("done_total").increment(1);
            histogram!("age_seconds").record(1.0);
            gauge!("in_flight").set(2.0);
        });
        assert_eq!(taken(&emf).len(), 1);
        let again = taken(&emf);
        assert_eq!(again[0]["in_flight"], json!([2.0]));
        assert!(again[0].get("done_total").is_none() && again[0].get("age_seconds").is_none());
    }

    #[test]
    fn no_value_of_a_histogram_is_lost() {
        let emf = emf();
        with_local_recorder(&emf, || {
            (0..250_u8).for_each(|age| histogram!("age_seconds").record(f64::from(age)));
        });
        let lines = taken(&emf);
        let values = lines.iter().map(|line| line["age_seconds"].as_array().unwrap());
        assert_eq!(values.clone().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
        let mut values: Vec<_> = values.flatten().map(|value| value.as_f64().unwrap()).collect();
        values.sort_by(f64::total_cmp);
        assert_eq!(values, (0..250_u8).map(f64::from).collect::<Vec<_>>());
    }
}
