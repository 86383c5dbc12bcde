//! What a metric is: one description of its name, kind, labels and meaning, for Prometheus and for
//! `docs/metrics.md`.
//!
//! ```
//! use instruments::{Instrument, Label};
//!
//! const REFUSED: Instrument = Instrument::counter("refused_total", "Requests that were refused")
//!     .labelled(&[Label::of("class", &["read", "write"])]);
//!
//! REFUSED.describe();
//! metrics::counter!(REFUSED.name, "class" => "read").increment(1);
//! ```

use metrics::{
    Key, Label as Pair, Level, Metadata, describe_counter, describe_gauge, describe_histogram,
    with_recorder,
};

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// A metric, before anything is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// Its name, which ends in its unit; that of a counter in `_total`.
    pub name: &'static str,
    /// What can be done with its values.
    pub kind: Kind,
    /// What is measured, in a few words.
    pub help: &'static str,
    /// What its series differ in.
    pub labels: &'static [Label],
}

/// What can be done with a metric's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It grows from 0 until the process ends.
    Counter,
    /// It is what it is now.
    Gauge,
    /// Many values, counted by size.
    Histogram,
}

/// What the series of a metric differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// All values that it can have; none if that shows only at run time.
    pub values: &'static [&'static str],
}

impl Label {
    /// A label whose values are known.
    #[must_use]
    pub const fn of(name: &'static str, values: &'static [&'static str]) -> Self {
        Self { name, values }
    }

    /// A label whose values show at run time. There must be few.
    #[must_use]
    pub const fn any(name: &'static str) -> Self {
        Self { name, values: &[] }
    }
}

impl Instrument {
    /// A counter without labels.
    #[must_use]
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, help, labels: &[] }
    }

    /// A gauge without labels.
    #[must_use]
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, help, labels: &[] }
    }

    /// A histogram without labels.
    #[must_use]
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, help, labels: &[] }
    }

    /// The same with labels.
    #[must_use]
    pub const fn labelled(self, labels: &'static [Label]) -> Self {
        Self { labels, ..self }
    }

    /// Gives its meaning to the recorder. A counter whose labels' values are all known begins at 0:
    /// the increase from nothing to the first error is one that Prometheus does not see.
    pub fn describe(&self) {
        let (name, help) = (self.name, self.help);
        match self.kind {
            Kind::Counter => {
                describe_counter!(name, help);
                self.begin();
            }
            Kind::Gauge => describe_gauge!(name, help),
            Kind::Histogram => describe_histogram!(name, help),
        }
    }

    /// One series for each combination of values; none if a value is not known.
    fn begin(&self) {
        let mut series = vec![Vec::new()];
        for label in self.labels {
            let with = |value: &&'static str| {
                let pair = Pair::from_static_parts(label.name, value);
                series.iter().map(move |pairs| [pairs.clone(), vec![pair.clone()]].concat())
            };
            series = label.values.iter().flat_map(with).collect();
        }
        for labels in series {
            let key = Key::from_parts(self.name, labels);
            with_recorder(|recorder| recorder.register_counter(&key, &METADATA).increment(0));
        }
    }
}

/// Describes several, at the start of what measures them.
pub fn describe(instruments: &[Instrument]) {
    instruments.iter().for_each(Instrument::describe);
}

#[cfg(test)]
mod tests {
    use metrics::{counter, with_local_recorder};
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    fn rendered(measure: impl FnOnce()) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        with_local_recorder(&recorder, measure);
        recorder.handle().render()
    }

    #[test]
    fn a_counter_whose_labels_are_known_begins_at_0() {
        const LABELS: &[Label] =
            &[Label::of("class", &["read", "write"]), Label::of("result", &["ok", "failed"])];
        let text = rendered(|| {
            describe(&[
                Instrument::counter("plain_total", "Without labels"),
                Instrument::counter("known_total", "With labels").labelled(LABELS),
            ]);
            counter!("known_total", "class" => "read", "result" => "ok").increment(2);
        });
        for line in [
            "# HELP plain_total Without labels",
            "# TYPE plain_total counter",
            "plain_total 0",
            r#"known_total{class="read",result="ok"} 2"#,
            r#"known_total{class="read",result="failed"} 0"#,
            r#"known_total{class="write",result="ok"} 0"#,
            r#"known_total{class="write",result="failed"} 0"#,
        ] {
            assert!(text.lines().any(|it| it == line), "{line} is not in:\n{text}");
        }
    }

    #[test]
    fn nothing_else_begins() {
        const QUEUE: &[Label] = &[Label::any("queue")];
        let text = rendered(|| {
            describe(&[
                Instrument::counter("open_total", "Of any queue").labelled(QUEUE),
                Instrument::gauge("age_seconds", "An age"),
                Instrument::histogram("time_seconds", "A time"),
            ]);
        });
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }
}
