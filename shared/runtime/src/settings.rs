//! The settings of every function.

use std::{net::SocketAddr, time::Duration};

use anyhow::{anyhow, ensure};
use clap::{Args, ValueEnum, value_parser};
use tracing::warn;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::host::HostChoice;

/// The harness's own configuration; the functions' `Config` stands next to it in `--help`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Harness")]
#[group(skip)]
pub(crate) struct Settings {
    /// Where the function runs; `auto` is a Lambda if `AWS_LAMBDA_RUNTIME_API` is set, else a pod
    #[arg(long, env = "FUNCTION_HOST", value_enum, default_value = "auto")]
    pub(crate) function_host: HostChoice,

    /// How log lines look; `auto` is readable on a terminal and JSON elsewhere
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value = "auto")]
    pub(crate) log_format: LogFormat,

    /// What is logged: a level (`off`, `error`, `warn`, `info`, `debug` or `trace`), or directives such
    /// as `warn,store=debug`. What no directive is about is logged at `info`
    #[arg(long, env = "LOG_LEVEL", default_value = "info", value_parser = log_level)]
    pub(crate) log_level: Targets,

    /// Address of `/livez`, `/readyz` and `/metrics`
    #[arg(long, env = "HEALTH_ADDR", default_value = "0.0.0.0:9090")]
    pub(crate) health_addr: SocketAddr,

    /// Where to send spans by OTLP (http/protobuf), such as `http://collector:4318`; unset: nowhere
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub(crate) otel_exporter_otlp_endpoint: Option<String>,

    /// The spans' `service.name`; unset: the function's name
    #[arg(long, env = "OTEL_SERVICE_NAME")]
    pub(crate) otel_service_name: Option<String>,

    /// Namespace of a Lambda's metrics in CloudWatch
    #[arg(long, env = "METRICS_NAMESPACE", default_value = "functions")]
    pub(crate) metrics_namespace: String,

    /// Seconds that running work is given to finish after SIGTERM or SIGINT; unset: 25, or 5 more than
    /// `HANDLER_TIMEOUT_SECONDS` if that is longer, or what HTTP's lame duck and request timeout take.
    /// The platform must wait 5 seconds longer before it
    /// kills the process
    #[arg(long, env = "DRAIN_TIMEOUT_SECONDS",
        value_parser = value_parser!(u16).range(0..=43_200))]
    drain_timeout_seconds: Option<u16>,
}

/// What a drain takes, unless a handler may take longer.
const USUAL_DRAIN: Duration = Duration::from_secs(25);
/// After the handler: for settling what it did.
const SETTLING: Duration = Duration::from_secs(5);

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// `Pretty` if standard output is a terminal, else `Json`.
    Auto,
    /// One JSON object a line.
    Json,
    /// One readable line.
    Pretty,
}

impl Settings {
    /// How long a drain may take, if `longest_work` is what one handler may take, and the shutdown of
    /// HTTP takes `http`. Fails if the latter does not fit into what is set.
    pub(crate) fn drain_timeout(
        &self,
        longest_work: Duration,
        http: Duration,
    ) -> anyhow::Result<Duration> {
        let Some(seconds) = self.drain_timeout_seconds else {
            return Ok(USUAL_DRAIN.max(longest_work + SETTLING).max(http));
        };
        let set = Duration::from_secs(seconds.into());
        ensure!(
            http <= set,
            "HTTP_LAME_DUCK_SECONDS, HTTP_REQUEST_TIMEOUT_MS and a second are {http:?} together, more \
             than DRAIN_TIMEOUT_SECONDS ({seconds}): a shutdown would cut requests off"
        );
        if set < longest_work {
            warn!(
                drain_timeout = ?set, handler_timeout = ?longest_work,
                "DRAIN_TIMEOUT_SECONDS is shorter than HANDLER_TIMEOUT_SECONDS: a shutdown may cut \
                 handlers off, and their messages are handed out again"
            );
        }
        Ok(set)
    }
}

/// What no directive is about is logged at `info`.
fn log_level(text: &str) -> anyhow::Result<Targets> {
    let mut targets = Targets::new();
    let mut default = LevelFilter::INFO;
    for directive in text.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        match directive.split_once('=') {
            Some((target, of)) => targets = targets.with_target(module(target)?, level(of)?),
            None => default = level(directive)?,
        }
    }
    Ok(targets.with_default(default))
}

fn level(text: &str) -> anyhow::Result<LevelFilter> {
    text.parse().map_err(|_| {
        anyhow!(
            "`{text}` is no level: expected off, error, warn, info, debug or trace, or a target with \
             its level, such as store=debug"
        )
    })
}

/// Anything else would match nothing, and say nothing of it.
fn module(text: &str) -> anyhow::Result<&str> {
    let is_path = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte));
    ensure!(is_path && !text.is_empty(), "`{text}` is no target: expected a module, such as store");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches as _};

    use super::*;

    impl Settings {
        /// The defaults, on a port of the system's choice.
        pub(crate) fn for_test() -> Self {
            parse(&["--health-addr", "127.0.0.1:0"]).unwrap()
        }
    }

    fn parse(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let command = Settings::augment_args(Command::new("test").no_binary_name(true));
        Settings::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    #[test]
    fn what_is_no_directive_is_refused_by_name() {
        for (text, wrong) in [
            ("verbose", "verbose"),
            ("warning", "warning"),
            ("info,verbose", "verbose"),
            ("store", "store"),
            ("store=loud", "loud"),
            ("=debug", ""),
            ("store[batch]=debug", "store[batch]"),
            ("a=b=debug", "b=debug"),
        ] {
            let error = parse(&["--log-level", text]).unwrap_err().to_string();
            assert!(error.contains("LOG_LEVEL") || error.contains("--log-level"), "{error}");
            assert!(error.contains(&format!("`{wrong}` is no ")), "{error}");
        }
    }

    #[test]
    fn directives_choose_levels_and_what_none_is_about_is_logged_at_info() {
        use tracing::Level;

        for (text, store, other) in [
            ("", Level::INFO, Level::INFO),
            ("ERROR", Level::ERROR, Level::ERROR),
            ("Warn", Level::WARN, Level::WARN),
            ("store=debug", Level::DEBUG, Level::INFO),
            ("warn,store=debug", Level::DEBUG, Level::WARN),
            (" store=trace , error,", Level::TRACE, Level::ERROR),
        ] {
            let targets = parse(&["--log-level", text]).unwrap().log_level;
            for (target, level) in [("store", store), ("store::tasks", store), ("other", other)] {
                assert!(targets.would_enable(target, &level), "{text}: {target}");
                let finer = [Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
                let finer = finer.into_iter().find(|finer| *finer > level);
                assert!(
                    !finer.is_some_and(|it| targets.would_enable(target, &it)),
                    "{text}: {target}"
                );
            }
        }
        assert!(
            !parse(&["--log-level", "off"]).unwrap().log_level.would_enable("a", &Level::ERROR)
        );
    }

    #[test]
    fn a_drain_is_long_enough_for_http_or_is_refused_with_what_to_change() {
        let drain = |arguments: &[&str], http: u64| {
            let settings = parse(arguments).unwrap();
            settings.drain_timeout(Duration::ZERO, Duration::from_secs(http))
        };
        assert_eq!(drain(&[], 21).unwrap().as_secs(), 25);
        assert_eq!(drain(&[], 70).unwrap().as_secs(), 70);
        assert_eq!(drain(&["--drain-timeout-seconds", "21"], 21).unwrap().as_secs(), 21);
        let error = drain(&["--drain-timeout-seconds", "20"], 21).unwrap_err().to_string();
        for setting in
            ["HTTP_LAME_DUCK_SECONDS", "HTTP_REQUEST_TIMEOUT_MS", "DRAIN_TIMEOUT_SECONDS"]
        {
            assert!(error.contains(setting), "{error}");
        }
    }
}
