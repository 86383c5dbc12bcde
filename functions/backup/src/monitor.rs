//! Metrics of the backups that are there.
//!
//! A job that ends cannot be scraped, and one that never ran says nothing. So a service of its own looks at
//! what is in S3. Times are metrics, and not ages: they stay right while S3 does not answer.
//! [`INSTRUMENTS`] are the metrics.

use std::process::ExitCode;
use std::time::Duration;
use std::{ffi::OsString, sync::Arc};

use ::instruments::describe;
use anyhow::{Result, ensure};
use causes::with_causes;
use metrics::{counter, gauge};
use runtime::{Function, Host, Service};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::arguments::MonitorArguments;
use crate::backups::{Backups, Found};
use crate::instruments::{
    FAILED_VERIFICATIONS, FAILURES, GOOD, INSTRUMENTS, LAST_BYTES, LAST_DURATION, LAST_GOOD,
    LAST_VERIFIED,
};

const NAME: &str = "backup-monitor";
const ABOUT: &str = "Serves metrics of the backups that are there";
const PROGRAM: &str = "backup monitor";

/// Runs until a signal.
pub(crate) fn run(options: Vec<OsString>) -> ExitCode {
    let command_line = std::iter::once(PROGRAM.into()).chain(options);
    Function::new(NAME, ABOUT).run_with(command_line, wire)
}

async fn wire(arguments: MonitorArguments, service: Service) -> Result<Service> {
    describe(INSTRUMENTS);
    let backups = Backups::connect(&arguments.place.location).await;
    let every = Duration::from_secs(arguments.every);
    let (looked, seen) = watch::channel(false);
    let (looked, host) = (Arc::new(looked), service.host());
    let service = service.ready_when("s3", move || {
        let is_seen = *seen.borrow();
        async move {
            ensure!(is_seen, "the last look at S3 failed, or there was none yet");
            Ok(())
        }
    });
    Ok(service.background("monitor", move |stop| {
        watch_over(backups.clone(), every, Arc::clone(&looked), host, stop)
    }))
}

async fn watch_over(
    backups: Backups,
    every: Duration,
    looked: Arc<watch::Sender<bool>>,
    host: Host,
    stop: CancellationToken,
) -> Result<()> {
    loop {
        let found = tokio::select! {
            found = backups.list() => found,
            () = stop.cancelled() => return Ok(()),
        };
        looked.send_replace(found.is_ok());
        match found {
            Ok(found) => record(&found),
            Err(error) => {
                warn!(error = with_causes(error.as_ref()), "the backups cannot be listed");
                counter!(FAILURES.name).increment(1);
            }
        }
        // A Lambda is invoked again.
        if host == Host::Lambda {
            return Ok(());
        }
        tokio::select! {
            () = sleep(every) => (),
            () = stop.cancelled() => return Ok(()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating-point numbers")]
fn record(found: &[Found]) {
    let good = || found.iter().rev().filter(|backup| backup.is_good());
    let newest = good().find_map(|backup| backup.manifest.as_ref());
    let taken = newest.map_or(0, |manifest| manifest.contents.taken_at.timestamp());
    gauge!(LAST_GOOD.name).set(taken as f64);
    let verified = good().filter_map(|backup| backup.verification.as_ref());
    let verified = verified.map(|outcome| outcome.verified_at.timestamp()).max();
    gauge!(LAST_VERIFIED.name).set(verified.unwrap_or_default() as f64);
    gauge!(LAST_BYTES.name).set(newest.map_or(0, |manifest| manifest.dump.size) as f64);
    let seconds = newest.map_or(0.0, |manifest| manifest.seconds);
    gauge!(LAST_DURATION.name).set(seconds);
    gauge!(GOOD.name).set(good().count() as f64);
    let failed = found.iter().filter(|backup| backup.manifest.is_some() && !backup.is_good());
    gauge!(FAILED_VERIFICATIONS.name).set(failed.count() as f64);
}
