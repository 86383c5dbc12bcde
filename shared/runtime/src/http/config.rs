//! The HTTP host's limits.

use std::{net::SocketAddr, time::Duration};

use axum::http::HeaderValue;
use clap::{ArgAction, Args, value_parser};

use super::{activity::Timeouts, base_path, cors, limits::HeadLimits, listener::Limits};

/// For a response that is made at the end of the drain to be sent.
const LAST_BYTES: Duration = Duration::from_millis(500);

/// Where to listen and what a client may use. Flatten it into a function's configuration.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
#[group(skip)]
pub struct Config {
    /// Address to serve on
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8080")]
    pub http_addr: SocketAddr,

    /// Largest request body, in bytes
    #[arg(long, env = "HTTP_MAX_BODY_BYTES", default_value_t = 262_144,
        value_parser = value_parser!(u32).range(1..=10_485_760))]
    pub http_max_body_bytes: u32,

    /// Most headers of a request
    #[arg(long, env = "HTTP_MAX_HEADERS", default_value_t = 64,
        value_parser = value_parser!(u16).range(1..=256))]
    pub http_max_headers: u16,

    /// Most bytes of a request's target and headers together
    #[arg(long, env = "HTTP_MAX_HEAD_BYTES", default_value_t = 16_384,
        value_parser = value_parser!(u32).range(256..=65_536))]
    pub http_max_head_bytes: u32,

    /// Longest time from a request's head to its response's, in milliseconds
    #[arg(long, env = "HTTP_REQUEST_TIMEOUT_MS", default_value_t = 10_000,
        value_parser = value_parser!(u32).range(1..=600_000))]
    pub http_request_timeout_ms: u32,

    /// Longest time that a connection may take to send a request's head, in milliseconds: a new one
    /// from its beginning, an idle one from the head's first byte
    #[arg(long, env = "HTTP_HEADER_TIMEOUT_MS", default_value_t = 5_000,
        value_parser = value_parser!(u32).range(1..=600_000))]
    pub http_header_timeout_ms: u32,

    /// Longest time that a connection may be idle between two requests, in milliseconds. More than the
    /// idle timeout of a load balancer in front (60 s by AWS's default), which otherwise sends a
    /// request on a connection that is being closed and answers 502. While others wait for a
    /// connection, `HTTP_HEADER_TIMEOUT_MS` applies
    #[arg(long, env = "HTTP_KEEP_ALIVE_TIMEOUT_MS", default_value_t = 75_000,
        value_parser = value_parser!(u32).range(1..=4_000_000))]
    pub http_keep_alive_timeout_ms: u32,

    /// Longest time in which a client may read less than 8 KiB of a response that waits for it, in
    /// milliseconds; its connection is closed then
    #[arg(long, env = "HTTP_WRITE_TIMEOUT_MS", default_value_t = 10_000,
        value_parser = value_parser!(u32).range(1..=600_000))]
    pub http_write_timeout_ms: u32,

    /// Seconds from SIGTERM to the closing of the listener (lame duck): requests are served on
    /// meanwhile, while readiness is false and load balancers notice. With
    /// `HTTP_REQUEST_TIMEOUT_MS` and a second, it must be within `DRAIN_TIMEOUT_SECONDS`, if that is set.
    /// SIGINT skips it
    #[arg(long, env = "HTTP_LAME_DUCK_SECONDS", default_value_t = 10,
        value_parser = value_parser!(u16).range(0..=3_000))]
    pub http_lame_duck_seconds: u16,

    /// Connections at a time; more wait to be accepted
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", default_value_t = 1_024,
        value_parser = value_parser!(u16).range(1..))]
    pub http_max_connections: u16,

    /// A path before the API's own, such as `/tasks-api`, where a gateway's mapping or an ingress passes
    /// it on
    #[arg(long, env = "HTTP_BASE_PATH", default_value = "", hide_default_value = true,
        value_parser = base_path::parse)]
    pub http_base_path: String,

    /// Origins whose pages may send requests, such as `https://app.example.com`, with a comma between;
    /// unset: none (CORS)
    #[arg(long, env = "HTTP_CORS_ORIGINS", value_delimiter = ',', value_parser = cors::parse)]
    pub http_cors_origins: Vec<HeaderValue>,

    /// Whether a REST API of API Gateway in front sends binary bodies on (`binaryMediaTypes`): without
    /// that its clients are sent nothing compressed
    #[arg(long, env = "HTTP_REST_API_IS_BINARY", default_value_t = false, action = ArgAction::Set)]
    pub http_rest_api_is_binary: bool,
}

impl Config {
    /// Small limits, on a port of the system's choice.
    #[cfg(test)]
    pub(crate) fn for_test() -> Self {
        Self {
            http_addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            http_max_body_bytes: 16,
            http_max_headers: 20,
            http_max_head_bytes: 1_024,
            http_request_timeout_ms: 200,
            http_header_timeout_ms: 200,
            http_keep_alive_timeout_ms: 200,
            http_write_timeout_ms: 200,
            http_lame_duck_seconds: 0,
            http_max_connections: 8,
            http_base_path: String::new(),
            http_cors_origins: Vec::new(),
            http_rest_api_is_binary: false,
        }
    }

    /// From SIGTERM to the end of the last connection, and somewhat more.
    pub(crate) fn shutdown(&self) -> Duration {
        self.lame_duck() + self.drain() + LAST_BYTES
    }

    fn lame_duck(&self) -> Duration {
        Duration::from_secs(self.http_lame_duck_seconds.into())
    }

    fn drain(&self) -> Duration {
        self.request_timeout() + LAST_BYTES
    }

    pub(crate) fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.http_request_timeout_ms.into())
    }

    pub(crate) fn head(&self) -> HeadLimits {
        HeadLimits {
            headers: self.http_max_headers.into(),
            bytes: usize::try_from(self.http_max_head_bytes).unwrap_or(usize::MAX),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits {
            max_connections: self.http_max_connections,
            headers: self.http_max_headers,
            timeouts: Timeouts {
                head: Duration::from_millis(self.http_header_timeout_ms.into()),
                keep_alive: Duration::from_millis(self.http_keep_alive_timeout_ms.into()),
                write: Duration::from_millis(self.http_write_timeout_ms.into()),
            },
            lame_duck: self.lame_duck(),
            drain: self.drain(),
        }
    }
}
