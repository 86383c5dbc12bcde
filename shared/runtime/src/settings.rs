//! The settings of every function.

use std::{net::SocketAddr, time::Duration};

use anyhow::ensure;
use clap::{Args, ValueEnum, value_parser};
use tracing::warn;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

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
    pub(crate) log_level: String,

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

/// A lone word that is no level would be taken as the name of a target, and silence all others.
fn log_level(text: &str) -> anyhow::Result<String> {
    EnvFilter::builder().parse(text)?;
    let levels = text.split(',').map(str::trim).filter(|directive| is_lone_word(directive));
    let mut has_level = false;
    for level in levels {
        ensure!(
            level.parse::<LevelFilter>().is_ok(),
            "`{level}` is no level: expected off, error, warn, info, debug or trace, or a target with \
             its level, such as {level}=debug"
        );
        has_level = true;
    }
    Ok(if has_level { text.to_owned() } else { format!("{},{text}", LevelFilter::INFO) })
}

fn is_lone_word(directive: &str) -> bool {
    !directive.is_empty() && !directive.contains(['=', '['])
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
    fn log_directives_are_checked_at_start() {
        assert!(parse(&["--log-level", "info,store=debug"]).is_ok());
        let error = parse(&["--log-level", "store=loud"]).unwrap_err().to_string();
        assert!(error.contains("LOG_LEVEL"), "{error}");
    }

    #[test]
    fn a_word_that_is_no_level_is_refused_and_silences_nothing() {
        for word in ["verbose", "warning", "fatal", "store", "info,verbose", "WARNING"] {
            let error = parse(&["--log-level", word]).unwrap_err().to_string();
            assert!(
                error.contains("LOG_LEVEL") && error.contains("expected off, error"),
                "{error}"
            );
        }
        for level in ["off", "ERROR", "Warn", "info", "debug", "trace", "warn,store=debug"] {
            assert_eq!(parse(&["--log-level", level]).unwrap().log_level, level);
        }
    }

    #[test]
    fn what_no_directive_is_about_is_logged_all_the_same() {
        for (given, taken) in [("store=debug", "info,store=debug"), ("", "info,")] {
            assert_eq!(parse(&["--log-level", given]).unwrap().log_level, taken);
        }
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
