//! The HTTP host's limits.

use std::{net::SocketAddr, time::Duration};

use clap::{Args, value_parser};

use super::{Limits, limits::HeadLimits};

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
    #[arg(long, env = "HTTP_MAX_HEADERS", default_value_t = 100,
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

    /// Longest time that a connection may take to send a request's head, in milliseconds; an idle
    /// connection is closed after it, too
    #[arg(long, env = "HTTP_HEADER_TIMEOUT_MS", default_value_t = 5_000,
        value_parser = value_parser!(u32).range(1..=600_000))]
    pub http_header_timeout_ms: u32,

    /// Connections at a time; more wait to be accepted
    #[arg(long, env = "HTTP_MAX_CONNECTIONS", default_value_t = 1_024,
        value_parser = value_parser!(u16).range(1..))]
    pub http_max_connections: u16,
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
            http_max_connections: 8,
        }
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
            header_timeout: Duration::from_millis(self.http_header_timeout_ms.into()),
        }
    }
}
