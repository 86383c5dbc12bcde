//! Export of spans by OTLP (http/protobuf), if `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing is
//! started, and spans cost what a log line's fields cost.
//!
//! Honoured are `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`,
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` with `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SPAN_*`
//! and `OTEL_BSP_*`. The SDK reads all but the first and the third by itself.
//!
//! Spans must not cost an invocation or a shutdown its time: a Lambda waits for the collector within a
//! small budget, and not at all while the [`breaker`] is open. What cannot be sent is dropped and
//! counted.

mod breaker;
#[cfg(test)]
pub(crate) mod tests;

use std::{sync::OnceLock, time::Duration};

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracerProvider, Tracer},
};
use tokio::{runtime::Handle, task::spawn_blocking, time::timeout};
use tracing::warn;

use breaker::{Breaker, Guarded};

/// For one request to the collector, beside the work of a pod.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// For the spans of an invocation, for which the response waits.
const FLUSH_BUDGET: Duration = Duration::from_secs(1);
/// For what is left when the function ends.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(2);
/// A collector has little to say.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

static EXPORT: OnceLock<Export> = OnceLock::new();

/// The way of spans out of the process.
#[derive(Debug, Clone)]
struct Export {
    provider: SdkTracerProvider,
    breaker: Breaker,
}

/// Starts to export the spans of the returned tracer. To be called within tokio, once.
pub(crate) fn start(endpoint: &str, service: String) -> anyhow::Result<Tracer> {
    let export = Export::new(endpoint, service, Breaker::default())?;
    let tracer = export.provider.tracer("runtime");
    EXPORT.set(export).map_err(|_| anyhow!("spans are exported already"))?;
    Ok(tracer)
}

/// Sends what is buffered, for a Lambda is frozen after each invocation. Takes no longer than `left`
/// and than a small budget.
pub(crate) async fn flush(left: Duration) {
    let Some(export) = EXPORT.get() else { return };
    if !export.flush(left.min(FLUSH_BUDGET)).await {
        warn!("the spans of an invocation were not sent in time");
    }
}

/// Sends what is buffered, and ends. Blocks: not to be called within tokio, which must still run.
pub(crate) fn shutdown() {
    let Some(export) = EXPORT.get() else { return };
    if let Err(error) = export.provider.shutdown_with_timeout(SHUTDOWN_BUDGET) {
        warn!(%error, "the last spans are lost");
    }
}

impl Export {
    fn new(endpoint: &str, service: String, breaker: Breaker) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_http_client(Sender::new()?)
            .build()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is of no use")?;
        let exporter = Guarded { exporter, breaker: breaker.clone() };
        let resource = Resource::builder().with_service_name(service).build();
        let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
        Ok(Self { provider: provider.with_resource(resource).build(), breaker })
    }

    /// Sends what is buffered; false if that failed or took longer than `budget`. While the breaker is
    /// open, nothing is tried or waited for.
    async fn flush(&self, budget: Duration) -> bool {
        if self.breaker.is_open() {
            return true;
        }
        let provider = self.provider.clone();
        // A flush that nothing waits for any more ends with its request to the collector.
        let flushed = timeout(budget, spawn_blocking(move || provider.force_flush())).await;
        if flushed.is_err() {
            self.breaker.fail();
        }
        matches!(flushed, Ok(Ok(Ok(()))))
    }
}

/// Sends from the exporter's thread, which is none of tokio's, by a client that needs tokio. It
/// shares its TLS with the SDK of AWS.
#[derive(Debug)]
struct Sender {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    tokio: Handle,
}

impl Sender {
    fn new() -> anyhow::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .context("no root certificates")?
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, tokio: Handle::try_current()? })
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, MOST_ANSWER_BYTES).collect().await?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        self.tokio.spawn(async { timeout(REQUEST_TIMEOUT, exchange).await }).await??
    }
}
