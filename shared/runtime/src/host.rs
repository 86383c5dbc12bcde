//! Where a function runs: detected, or configured.

use anyhow::ensure;
use clap::ValueEnum;

/// AWS Lambda sets it, and `lambda_runtime` reads it: where the Runtime API listens.
pub(crate) const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

/// The platform that feeds a function and carries its answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host {
    /// A long-running process: it listens, polls and is probed.
    Pod,
    /// AWS Lambda: one invocation at a time, frozen in between; nothing listens.
    Lambda,
}

impl Host {
    /// The host's name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pod => "pod",
            Self::Lambda => "lambda",
        }
    }
}

/// How the host is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HostChoice {
    /// Lambda if `AWS_LAMBDA_RUNTIME_API` is set, else a pod.
    Auto,
    /// Always a pod.
    Pod,
    /// Always a Lambda.
    Lambda,
}

impl HostChoice {
    /// The host, given whether there is a Runtime API. Fails for a Lambda that has none.
    pub(crate) fn resolve(self, has_runtime_api: bool) -> anyhow::Result<Host> {
        ensure!(
            self != Self::Lambda || has_runtime_api,
            "FUNCTION_HOST is lambda, but {RUNTIME_API} is not set: only AWS Lambda and its \
             emulators, which set it, can host the function so"
        );
        Ok(match self {
            Self::Auto if has_runtime_api => Host::Lambda,
            Self::Auto | Self::Pod => Host::Pod,
            Self::Lambda => Host::Lambda,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runtime_api_decides_unless_it_is_overruled() {
        let host = |choice: HostChoice, api| choice.resolve(api).ok();
        assert_eq!(host(HostChoice::Auto, true), Some(Host::Lambda));
        assert_eq!(host(HostChoice::Auto, false), Some(Host::Pod));
        assert_eq!(host(HostChoice::Pod, true), Some(Host::Pod));
        assert_eq!(host(HostChoice::Lambda, true), Some(Host::Lambda));
        assert_eq!(host(HostChoice::Lambda, false), None);
    }
}
