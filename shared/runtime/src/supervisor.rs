//! Runs a service's parts to their common end.
//!
//! A soft stop, a deadline, a hard stop: the first signal (or the failure of a part) stops every part
//! to finish what it has begun; a part that has not at the deadline, or at a second signal, is cut off: it
//! has a moment to let go of what it holds.

use std::{panic::AssertUnwindSafe, time::Duration};

use anyhow::{anyhow, bail, ensure};
use futures::FutureExt as _;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{error, info, warn};

use crate::{
    Service, health,
    metrics::Metrics,
    panics,
    service::{Kind, Part},
    settings::Settings,
    shutdown::{self, Signals},
};

/// For what was cut off: to release what it holds.
const RELEASE: Duration = Duration::from_secs(3);

/// The running parts, and the health endpoint that outlives them.
pub(crate) struct Supervisor {
    running: JoinSet<Ended>,
    unfinished: Vec<&'static str>,
    jobs: usize,
    shutdown: CancellationToken,
    cut_off: CancellationToken,
    at_once: CancellationToken,
    drain_timeout: Duration,
    failed: bool,
    _health: Option<AbortOnDropHandle<()>>,
}

struct Ended {
    name: &'static str,
    kind: Kind,
    result: anyhow::Result<()>,
}

impl Supervisor {
    /// Starts every part, and the health endpoint if there are `metrics` to show (a Lambda has no
    /// port) and not all parts are jobs.
    pub(crate) async fn start(
        service: Service,
        settings: &Settings,
        metrics: Option<Metrics>,
    ) -> anyhow::Result<Self> {
        service.check()?;
        let drain_timeout = settings.drain_timeout(service.longest_work, service.http_shutdown)?;
        let Service { parts, health, shutdown, cut_off, at_once, .. } = service;
        let jobs = parts.iter().filter(|part| part.kind == Kind::Job).count();
        let health = match metrics {
            Some(metrics) if jobs < parts.len() => {
                Some(health::serve(health, settings.health_addr, metrics).await?)
            }
            _ => None,
        };
        Ok(Self {
            unfinished: parts.iter().map(|part| part.name).collect(),
            running: parts.into_iter().map(watch).collect(),
            jobs,
            shutdown,
            cut_off,
            at_once,
            drain_timeout,
            failed: false,
            _health: health,
        })
    }

    /// Waits for a reason to stop, then drains.
    pub(crate) async fn run(mut self, mut signals: Signals) -> anyhow::Result<()> {
        self.until_stop(&mut signals).await;
        self.shutdown.cancel();
        self.drain(&mut signals).await?;
        ensure!(!self.failed, "a part of the function failed");
        info!("stopped");
        Ok(())
    }

    async fn until_stop(&mut self, signals: &mut Signals) {
        loop {
            tokio::select! {
                Some(signal) = signals.recv() => {
                    info!(signal, timeout = ?self.drain_timeout, "draining");
                    if signal == shutdown::TERMINAL {
                        self.at_once.cancel();
                    }
                    return;
                }
                Some(ended) = self.running.join_next() => {
                    if self.must_stop_after(ended) {
                        return;
                    }
                }
            }
        }
    }

    fn must_stop_after(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> bool {
        let kind = self.note(ended);
        self.jobs -= usize::from(kind == Some(Kind::Job));
        if kind == Some(Kind::Server) && !self.failed {
            error!("a part ended before it was stopped");
            self.failed = true;
        }
        self.failed || self.jobs == 0
    }

    async fn drain(&mut self, signals: &mut Signals) -> anyhow::Result<()> {
        let deadline = sleep(self.drain_timeout);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                ended = self.running.join_next() => match ended {
                    Some(ended) => { self.note(ended); }
                    None => return Ok(()),
                },
                () = &mut deadline => return self.cut_off("at DRAIN_TIMEOUT_SECONDS").await,
                Some(signal) = signals.recv() => {
                    return self.cut_off(&format!("by a second {signal}")).await;
                }
            }
        }
    }

    async fn cut_off(&mut self, when: &str) -> anyhow::Result<()> {
        let unfinished = self.unfinished.join(", ");
        self.cut_off.cancel();
        let released = async { while self.running.join_next().await.is_some() {} };
        if timeout(RELEASE, released).await.is_err() {
            warn!("what was cut off took too long to release its messages");
        }
        bail!("cut off {when}: {unfinished}")
    }

    /// Logs how a part ended, if badly; says which kind it was, unless it was cut off.
    fn note(&mut self, ended: Result<Ended, tokio::task::JoinError>) -> Option<Kind> {
        let Ok(Ended { name, kind, result }) = ended else {
            warn!("a part was cut off");
            self.failed = true;
            return None;
        };
        if let Some(position) = self.unfinished.iter().position(|unfinished| *unfinished == name) {
            self.unfinished.swap_remove(position);
        }
        if let Err(error) = result {
            error!(part = name, error = format!("{error:#}"), "a part failed");
            self.failed = true;
        }
        Some(kind)
    }
}

/// A panic is a way to fail, too.
async fn watch(part: Part) -> Ended {
    let Part { name, kind, run } = part;
    let result = AssertUnwindSafe(run)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(anyhow!("panicked: {}", panics::message(&*panic))));
    Ended { name, kind, result }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use anyhow::Ok;
    use metrics_exporter_prometheus::PrometheusBuilder;
    use tokio::sync::mpsc;

    use super::*;
    use crate::Host;

    /// Runs a service that is sent these signals.
    async fn run(service: Service, signals: &[&'static str]) -> Result<(), String> {
        let metrics = Metrics::of(PrometheusBuilder::new().build_recorder().handle());
        let settings = Settings::for_test();
        let supervisor = Supervisor::start(service, &settings, Some(metrics)).await.unwrap();
        let (sender, receiver) = mpsc::channel(2);
        for signal in signals {
            sender.send(*signal).await.unwrap();
        }
        supervisor.run(receiver).await.map_err(|error| error.to_string())
    }

    /// A service with one part that stops when it is cancelled.
    fn obedient() -> Service {
        let service = Service::new("test", Host::Pod);
        let shutdown = service.shutdown.clone();
        with(service, Kind::Server, async move {
            shutdown.cancelled().await;
            Ok(())
        })
    }

    fn with(
        mut service: Service,
        kind: Kind,
        part: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) -> Service {
        service.add("part", kind, part);
        service
    }

    #[tokio::test(start_paused = true)]
    async fn a_signal_ends_everything_well() {
        assert_eq!(run(obedient(), &["SIGTERM"]).await, Result::Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_that_fails_panics_or_just_ends_stops_the_others_and_is_a_failure() {
        let failed = Err("a part of the function failed".to_owned());
        let fails = with(obedient(), Kind::Server, async { bail!("broken") });
        assert_eq!(run(fails, &[]).await, failed);
        let panics = with(obedient(), Kind::Server, async { panic!("broken") });
        assert_eq!(run(panics, &[]).await, failed);
        let ends = with(obedient(), Kind::Server, async { Ok(()) });
        assert_eq!(run(ends, &[]).await, failed);
        let job = with(obedient(), Kind::Job, async { bail!("broken") });
        assert_eq!(run(job, &[]).await, failed);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_job_to_end_ends_the_rest() {
        let jobs = with(obedient(), Kind::Job, async { Ok(()) });
        let jobs = with(jobs, Kind::Job, async {
            sleep(Duration::from_secs(5)).await;
            Ok(())
        });
        assert_eq!(run(jobs, &[]).await, Result::Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_drain_is_cut_off_and_named() {
        let deaf = with(Service::new("test", Host::Pod), Kind::Server, pending());
        let error = run(deaf, &["SIGTERM"]).await.unwrap_err();
        assert_eq!(error, "cut off at DRAIN_TIMEOUT_SECONDS: part");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_signal_cuts_the_drain_short() {
        let deaf = with(Service::new("test", Host::Pod), Kind::Server, pending());
        let error = run(deaf, &["SIGTERM", "SIGINT"]).await.unwrap_err();
        assert_eq!(error, "cut off by a second SIGINT: part");
    }

    #[tokio::test]
    async fn a_lambda_of_two_parts_and_a_service_of_none_are_errors() {
        let refusal = async |service| {
            let started = Supervisor::start(service, &Settings::for_test(), None).await;
            started.map(drop).unwrap_err().to_string()
        };
        let empty = Service::new("test", Host::Pod);
        assert!(refusal(empty).await.contains("added no part"));
        let job = async || Ok(());
        let double = Service::new("test", Host::Lambda).job(job).job(job);
        assert!(refusal(double).await.contains("exactly one of"));
    }
}
