//! Export of spans by OTLP (http/protobuf), if `OTEL_EXPORTER_OTLP_ENDPOINT` is set; else nothing is
//! started, and spans cost what a log line's fields cost.
//!
//! Honoured are `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`,
//! `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER` with `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SPAN_*`
//! and `OTEL_BSP_*`. The SDK reads all but the first and the third by itself.

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

/// For one request to the collector.
const PATIENCE: Duration = Duration::from_secs(10);
/// For what is left when the function ends.
const LAST_CALL: Duration = Duration::from_secs(3);
/// A collector has little to say.
const MOST_ANSWER_BYTES: usize = 64 * 1024;

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Starts to export the spans of the returned tracer. To be called within tokio, once.
pub(crate) fn start(endpoint: &str, service: String) -> anyhow::Result<Tracer> {
    let provider = provider(endpoint, service)?;
    let tracer = provider.tracer("runtime");
    PROVIDER.set(provider).map_err(|_| anyhow!("spans are exported already"))?;
    Ok(tracer)
}

/// Sends what is buffered, for a Lambda is frozen after each invocation.
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let flushed = spawn_blocking(|| provider.force_flush()).await;
    if !matches!(flushed, Ok(Ok(()))) {
        warn!("the spans of an invocation are lost");
    }
}

/// Sends what is buffered, and ends. Blocks: not to be called within tokio, which must still run.
pub(crate) fn shutdown() {
    let Some(provider) = PROVIDER.get() else { return };
    if let Err(error) = provider.shutdown_with_timeout(LAST_CALL) {
        warn!(%error, "the last spans are lost");
    }
}

fn provider(endpoint: &str, service: String) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_http_client(Courier::new()?)
        .build()
        .context("OTEL_EXPORTER_OTLP_ENDPOINT is of no use")?;
    let resource = Resource::builder().with_service_name(service).build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

/// Sends from the exporter's thread, which is none of tokio's, by a client that needs tokio. It
/// shares its TLS with the SDK of AWS.
#[derive(Debug)]
struct Courier {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    tokio: Handle,
}

impl Courier {
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
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let exchange = async move {
            let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
            let body = Limited::new(body, MOST_ANSWER_BYTES).collect().await?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        self.tokio.spawn(async { timeout(PATIENCE, exchange).await }).await??
    }
}
