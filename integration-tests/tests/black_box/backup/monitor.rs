//! `backup monitor`: metrics of what is in S3.

use local_stack::Function;

use super::fixture::Fixture;
use crate::metrics::is_documented;
use crate::support::system::{PATIENCE, binary, eventually};

fn value(metrics: &str, name: &str) -> Option<f64> {
    let line = metrics.lines().find(|line| line.split(' ').next() == Some(name))?;
    line.split(' ').nth(1)?.parse().ok()
}

#[tokio::test]
async fn the_newest_good_backup_is_a_metric() {
    let fixture = Fixture::new().await;
    let environment = fixture.system.aws.environment().with("LOG_FORMAT", "json");
    let environment = environment
        .with("BACKUP_LOCATION", format!("s3://{}/tasks", fixture.bucket))
        .with("BACKUP_MONITOR_SECONDS", "1");
    let state = &fixture.system.state;
    let monitor = Function::start_with(
        &binary("backup"),
        &["monitor"],
        "backup-monitor",
        &environment,
        state,
    );
    let mut monitor = monitor.expect("a process");
    monitor.ready(PATIENCE).await.expect("a monitor that is ready");
    let url = monitor.health_url("metrics");
    let metrics = async || {
        let answer = fixture.system.client.get(&url).send().await.expect("an answer");
        answer.text().await.expect("metrics")
    };
    let good = "backup_last_good_timestamp_seconds";
    assert_eq!(value(&metrics().await, good), Some(0.0), "none yet");
    assert_eq!(
        value(&metrics().await, "backup_monitor_failures_total"),
        Some(0.0),
        "from the start"
    );
    fixture.dump().await;
    eventually("the backup is seen", async || {
        (value(&metrics().await, good)? > 1.7e9).then_some(())
    })
    .await;
    let shown = metrics().await;
    assert_eq!(value(&shown, "backup_good"), Some(1.0), "{shown}");
    assert!(value(&shown, "backup_last_good_bytes").is_some_and(|bytes| bytes > 1e3), "{shown}");
    assert_eq!(value(&shown, "backup_last_verified_timestamp_seconds"), Some(0.0), "{shown}");
    fixture.json(&["verify"]).await;
    eventually("the verification is seen", async || {
        (value(&metrics().await, "backup_last_verified_timestamp_seconds")? > 1.7e9).then_some(())
    })
    .await;
    is_documented(&metrics().await).await;
    assert!(monitor.stop().await.expect("an end").success());
}
