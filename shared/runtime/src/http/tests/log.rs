//! What a server logs and counts while a test runs.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use metrics::LocalRecorderGuard;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use serde_json::Value;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{layer::SubscriberExt as _, registry};

use crate::telemetry::JsonLines;

/// Collects what this thread logs and counts until it is dropped.
pub(crate) struct Observer {
    lines: Lines,
    metrics: PrometheusHandle,
    _subscriber: DefaultGuard,
    _recorder: LocalRecorderGuard<'static>,
}

impl Observer {
    pub(crate) fn start() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = JsonLines::new("test", move || writer.clone());
        // The guard borrows it: a test's few may live on.
        let recorder: &'static PrometheusRecorder =
            Box::leak(Box::new(PrometheusBuilder::new().build_recorder()));
        Self {
            lines,
            metrics: recorder.handle(),
            _subscriber: tracing::subscriber::set_default(registry().with(layer)),
            _recorder: metrics::set_default_local_recorder(recorder),
        }
    }

    /// The access log.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["message"] == "request").collect()
    }

    /// The log at every level.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn metrics(&self) -> String {
        self.metrics.render()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
