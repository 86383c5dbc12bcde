//! Start, jobs and the end, in both hosts.

use std::{fs, process::Command, time::Duration};

use fake_lambda::LambdaApi;
use serde_json::json;

use crate::process::Example;

const MINUTE: Duration = Duration::from_mins(1);

fn terminate(example: &Example) {
    let status = Command::new("kill").arg("-TERM").arg(example.pid().to_string()).status();
    assert!(status.expect("a kill").success());
}

#[tokio::test]
async fn a_job_runs_once_in_a_pod_and_at_each_invocation_in_a_lambda() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let settings = [("JOB_FILE", file.path().display().to_string())];
    let runs = || fs::read_to_string(file.path()).expect("a file").lines().count();

    assert!(Example::pod_job("job", &settings).ended().await.success());
    assert_eq!(runs(), 1);

    let api = LambdaApi::start().await;
    let lambda = Example::lambda("job", &api, &settings);
    let schedule = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    for run in 2..4 {
        let outcome = api.invoke(&format!("run-{run}"), MINUTE, schedule.clone()).await;
        assert_eq!(outcome, Ok(json!(null)));
        assert_eq!(runs(), run);
    }
    file.close().expect("a removal");
    let error = api.invoke("failing", MINUTE, schedule).await.expect_err("no file");
    assert_eq!(error["errorType"], "Function.Failed");
    assert!(error["errorMessage"].as_str().expect("text").contains("No such file"), "{error}");

    assert_eq!(api.extensions(), [json!({"events": []})], "it registers for its end");
    terminate(&lambda);
    assert!(lambda.ended().await.success());
}

#[tokio::test]
async fn a_lambda_that_is_terminated_finishes_its_invocation() {
    let api = LambdaApi::start().await;
    let lambda = Example::lambda("api", &api, &[("HTTP_REQUEST_TIMEOUT_MS", "2000".to_owned())]);
    let slow = json!({
        "version": "2.0", "rawPath": "/slow", "rawQueryString": "", "headers": {},
        "requestContext": {"http": {"method": "GET", "path": "/slow"}}, "isBase64Encoded": false,
    });
    let (outcome, ()) = tokio::join!(api.invoke("slow", MINUTE, slow), async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        terminate(&lambda);
    });
    assert_eq!(outcome.expect("a response")["statusCode"], 503);
    assert!(lambda.ended().await.success());
}

#[tokio::test]
async fn a_failed_start_is_reported_to_lambda() {
    let api = LambdaApi::start().await;
    let settings = [
        ("QUEUE_URL", "http://127.0.0.1:1/queue".to_owned()),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned()),
        ("AWS_REGION", "local".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
    ];
    let lambda = Example::lambda("consumer", &api, &settings);
    let error = api.failed_start().await;
    assert_eq!(error["errorType"], "Function.InitFailed");
    assert!(error["errorMessage"].as_str().expect("text").contains("QUEUE_URL"), "{error}");
    assert_eq!(lambda.ended().await.code(), Some(1));
}
