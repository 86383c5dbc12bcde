//! The load: `wrk`, which is written in C and takes less of the machine than what it measures.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;
use tokio::time::timeout;

/// Open connections, each with one request at a time.
pub(crate) const CONNECTIONS: u32 = 64;
const BEYOND: Duration = Duration::from_secs(20);
/// An answer that takes longer is a failure.
const LONGEST: Duration = Duration::from_secs(10);

/// What is requested.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) headers: Vec<String>,
}

/// What was answered.
#[derive(Debug, PartialEq)]
pub(crate) struct Load {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
}

/// Requests the target for so long.
pub(crate) async fn run(target: &Target, time: Duration) -> Result<Load> {
    run_by(CONNECTIONS, target, time).await
}

/// The same, by so many connections.
pub(crate) async fn run_by(connections: u32, target: &Target, time: Duration) -> Result<Load> {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{}s", time.as_secs())]);
    command.args(["--timeout", &format!("{}s", LONGEST.as_secs())]);
    for header in &target.headers {
        command.args(["--header", header]);
    }
    let output = timeout(time + BEYOND, command.arg(&target.url).kill_on_drop(true).output());
    let output = output.await.context("wrk does not end")?.context("starting wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk: {text}{}", String::from_utf8_lossy(&output.stderr));
    read(&text)
}

/// Answers that are none of success would make a measurement worthless.
fn read(text: &str) -> Result<Load> {
    let failed = text.lines().find(|line| {
        let line = line.trim_start();
        line.starts_with("Non-2xx") || line.starts_with("Socket errors")
    });
    ensure!(failed.is_none(), "requests failed: {}", failed.unwrap_or_default().trim());
    let requests = text.lines().find_map(|line| line.trim_start().split_once(" requests in "));
    let per_second = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    let number = |text: Option<&str>| text?.trim().parse().ok();
    let load = number(requests.map(|it| it.0)).zip(number(per_second));
    let (requests, per_second) = load.with_context(|| format!("no report of wrk: {text}"))?;
    Ok(Load { requests, per_second })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Running 2s test @ http://127.0.0.1:1/\n  1 threads and 64 connections\n  \
                          1234 requests in 2.00s, 1.00MB read\nRequests/sec:    617.25\n";

    #[test]
    fn a_report_has_its_requests() {
        assert_eq!(read(REPORT).unwrap(), Load { requests: 1234.0, per_second: 617.25 });
    }

    #[test]
    fn a_report_with_failures_is_none() {
        for failure in ["  Non-2xx or 3xx responses: 3\n", "  Socket errors: connect 0, read 1\n"] {
            let error = read(&format!("{REPORT}{failure}")).unwrap_err().to_string();
            assert!(error.contains(failure.trim()), "{error}");
        }
        assert!(read("").unwrap_err().to_string().contains("no report"));
    }
}
