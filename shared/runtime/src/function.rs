//! A function's life from its command line to its exit code.

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};
use tracing::{error, info};

use crate::{
    Host, Service, host, lambda,
    metrics::{self, Metrics},
    otlp,
    settings::Settings,
    shutdown,
    supervisor::Supervisor,
    telemetry,
};

/// How long blocking work may hold up the exit after everything else has ended.
const LAST_CALL: Duration = Duration::from_secs(1);

/// A handler binary: its name and what it is for. See the crate's documentation for an example.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    name: &'static str,
    about: &'static str,
}

/// Everything that can be set: the harness's settings, then the function's own.
#[derive(Debug, Parser)]
#[command(version)]
struct CommandLine<C: Args> {
    #[command(flatten)]
    config: C,
    #[command(flatten)]
    settings: Settings,
}

impl Function {
    /// Names the function; `about` is the first line of its `--help`.
    #[must_use]
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about }
    }

    /// Lives: parses the configuration, calls `wire`, runs what it wired until a signal, or until a
    /// part fails, drains, and says by the exit code how it went.
    ///
    /// | exit code | meaning |
    /// |---|---|
    /// | 0 | every part ended well and in time (or `--help` was requested) |
    /// | 1 | wiring failed, a part failed, or the drain took too long or was cut short by a second signal |
    /// | 2 | the configuration is wrong; no work was taken |
    ///
    /// Call it from `main`, outside any tokio runtime: it builds its own.
    #[must_use]
    pub fn run<C, F>(self, wire: impl FnOnce(C, Service) -> F) -> ExitCode
    where
        C: Args,
        F: Future<Output = anyhow::Result<Service>>,
    {
        self.run_with(std::env::args_os(), wire)
    }

    /// As [`Self::run`], with a command line that is not the process's own, such as that of one
    /// function in a binary of several. Its first item is the program's name, for the help.
    #[must_use]
    pub fn run_with<C, F>(
        self,
        command_line: impl IntoIterator<Item = OsString>,
        wire: impl FnOnce(C, Service) -> F,
    ) -> ExitCode
    where
        C: Args,
        F: Future<Output = anyhow::Result<Service>>,
    {
        match self.parse(command_line) {
            Ok(command_line) => self.start(command_line, wire),
            Err(error) => refuse(&error),
        }
    }

    fn parse<C: Args>(
        self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<CommandLine<C>, clap::Error> {
        let command = CommandLine::<C>::command().name(self.name).about(self.about);
        CommandLine::from_arg_matches(&command.try_get_matches_from(arguments)?)
    }

    fn start<C, F>(self, line: CommandLine<C>, wire: impl FnOnce(C, Service) -> F) -> ExitCode
    where
        C: Args,
        F: Future<Output = anyhow::Result<Service>>,
    {
        let CommandLine { config, settings } = line;
        match Self::block_on(self.live(config, settings, wire)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                error!(error = format!("{error:#}"), "failed");
                ExitCode::FAILURE
            }
        }
    }

    fn block_on(life: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let ended = tokio.block_on(life);
        otlp::shutdown();
        tokio.shutdown_timeout(LAST_CALL);
        ended
    }

    async fn live<C, F>(
        self,
        config: C,
        settings: Settings,
        wire: impl FnOnce(C, Service) -> F,
    ) -> anyhow::Result<()>
    where
        F: Future<Output = anyhow::Result<Service>>,
    {
        let host = settings.function_host.resolve(std::env::var_os(host::RUNTIME_API).is_some());
        // If it is unclear, that must be logged.
        let log_host = host.as_ref().copied().unwrap_or(Host::Pod);
        let _log_thread = telemetry::init(&settings, self.name, log_host)?;
        let host = host?;
        let version = env!("CARGO_PKG_VERSION");
        info!(version, host = host.name(), "starting");
        let mut signals = shutdown::signals()?;
        let start = async {
            let metrics = self.install_metrics(host, &settings)?;
            let service = wire(config, Service::new(self.name, host)).await?;
            Supervisor::start(service, &settings, metrics).await
        };
        let started = tokio::select! {
            started = start => started,
            Some(signal) = signals.recv() => {
                info!(signal, "stopped before any work was taken");
                return Ok(());
            }
        };
        if let (Host::Lambda, Err(error)) = (host, &started) {
            lambda::report_init_error(error).await;
        }
        started?.run(signals).await
    }

    /// A pod's metrics are scraped; a Lambda writes its own.
    fn install_metrics(self, host: Host, settings: &Settings) -> anyhow::Result<Option<Metrics>> {
        let metrics = match host {
            Host::Pod => Some(metrics::install()?),
            Host::Lambda => {
                metrics::install_emf(self.name, settings.metrics_namespace.clone())?;
                None
            }
        };
        metrics::begin(self.name);
        Ok(metrics)
    }
}

/// Prints a usage error to standard error, or the requested help to standard output.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nothing is left to do if even that stream is closed.
    let _ = error.print();
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http, sqs};

    #[derive(Debug, Args)]
    #[group(skip)]
    struct Config {
        #[command(flatten)]
        http: http::Config,
        #[command(flatten)]
        sqs: sqs::Config,
    }

    const FUNCTION: Function = Function::new("test-function", "Tests things");

    fn parse(arguments: &[&str]) -> Result<CommandLine<Config>, clap::Error> {
        FUNCTION.parse(["test-function"].iter().chain(arguments).map(OsString::from))
    }

    #[test]
    fn help_lists_every_setting_with_its_variable() {
        let help = parse(&["--help"]).unwrap_err();
        assert_eq!(help.exit_code(), 0);
        let help = help.to_string();
        let command = CommandLine::<Config>::command();
        let variables = command.get_arguments().filter_map(clap::Arg::get_env);
        let mut count = 0;
        for variable in variables {
            let variable = variable.to_str().unwrap();
            assert!(help.contains(&format!("[env: {variable}=")), "{variable} is not in the help");
            count += 1;
        }
        assert_eq!(count, 36);
        assert!(help.starts_with("Tests things"));
    }

    #[test]
    fn a_wrong_configuration_exits_with_2() {
        let missing = parse(&[]).unwrap_err();
        assert_eq!(missing.exit_code(), 2);
        assert!(missing.to_string().contains("QUEUE_URL"));
    }

    #[test]
    fn a_complete_configuration_is_parsed() {
        let line = parse(&["--queue-url", "https://host/1/queue", "--http-addr", "127.0.0.1:1"]);
        let config = line.unwrap().config;
        assert_eq!(config.http.http_addr.port(), 1);
        assert_eq!(config.sqs.queue_batch_size, 100);
    }
}
