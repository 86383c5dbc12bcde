//! SQS and S3 fail: they refuse one request, they do it without an answer, or they refuse
//! for longer than the SDK tries.

use serde_json::json;
use uuid::Uuid;

use super::plan::{Fault, OUTAGE, Plan, Step};
use super::systems::{
    commands, committed, no_fact_is_pending, relay_to, to_aws, to_postgresql, worker,
};
use super::{any, every_step, final_state, first};
use crate::claim_check::send_claimed;
use crate::relay::{facts_queue, subscriber::Subscriber};
use crate::support::system::{TestSystem, event};

pub(crate) const FAILURES: [Fault; 3] = [Fault::Refused(1), Fault::Unanswered, OUTAGE];

/// A heartbeat's: it comes only if the work takes longer than half of the visibility timeout.
const HEARTBEAT: &str = "ChangeMessageVisibilityBatch";
/// Made before a consumer begins: without an answer it ends, and is started again by whoever
/// started it.
const BEFORE_WORK: [&str; 2] = ["GetQueueAttributes", "GetQueueUrl"];

/// The requests that a consumer makes however fast it is.
pub(crate) fn is_certain(step: &Step) -> bool {
    is_work(step) && step.label != HEARTBEAT
}

fn is_work(step: &Step) -> bool {
    first(step) && !BEFORE_WORK.contains(&step.label.as_str())
}

/// The commands, one that is no event, a commit whose answer is lost, and a table that is locked
/// until a heartbeat comes, so that the worker uses every operation of the queue.
#[test]
fn a_worker_whose_queue_fails_applies_each_command_once_and_dead_letters_what_is_none() {
    every_step(&FAILURES, is_work, async |plan| {
        let (system, load) = (TestSystem::new().await, commands());
        system.send(&[("poison".to_owned(), "no event".to_owned())]).await;
        system.send(&load.messages).await;
        let mut lock = system.owner.begin().await.expect("a transaction");
        let locked = sqlx::query("LOCK TABLE inbox IN EXCLUSIVE MODE").execute(&mut *lock).await;
        locked.expect("a lock");
        let lost_commit = Plan::lost_commit();
        let (_wire, url) = to_postgresql(&system.database.writer_url, &lost_commit).await;
        let (_aws, endpoint) = to_aws(&system, &plan).await;
        let settings = [("DATABASE_URL", url.as_str()), ("AWS_ENDPOINT_URL", &endpoint)];
        let mut worker = worker(&system, &settings);
        plan.has_met(HEARTBEAT).await;
        lock.rollback().await.expect("unlocked");
        plan.has_happened().await;
        lost_commit.has_happened().await;
        final_state::is_empty(&system, &system.queue, 1).await;
        load.assert_is_what_is_left(&system).await;
        worker.kill().await.expect("killed");
    });
}

#[test]
fn a_worker_whose_bucket_fails_applies_what_is_claimed_and_what_follows_it() {
    every_step(
        &FAILURES,
        |step| step.label == "GET object",
        async |plan| {
            let system = TestSystem::new().await;
            let subject = Uuid::now_v7().to_string();
            let bucket = send_claimed(&system, &subject).await;
            system
                .send(&[(subject.clone(), event("2", "complete-task", &subject, &json!({})))])
                .await;
            let (_aws, endpoint) = to_aws(&system, &plan).await;
            let settings =
                [("CLAIM_CHECK_BUCKET", bucket.as_str()), ("AWS_ENDPOINT_URL", &endpoint)];
            let mut worker = worker(&system, &settings);
            plan.has_happened().await;
            final_state::is_empty(&system, &system.queue, 0).await;
            let tasks = final_state::tasks(&system).await;
            assert_eq!((tasks.len(), tasks[0].version), (1, 2));
            assert_eq!(system.count("SELECT count(*) FROM tasks WHERE title = 'From S3'").await, 1);
            assert_eq!(system.count("SELECT count(*) FROM inbox").await, 2);
            worker.kill().await.expect("killed");
        },
    );
}

#[test]
fn a_relay_whose_queue_fails_publishes_every_fact_in_order() {
    every_step(&FAILURES, any, async |plan| {
        let system = committed().await;
        let facts = facts_queue(&system).await;
        let (_aws, endpoint) = to_aws(&system, &plan).await;
        let mut relay = relay_to(&system, &facts.url, &[("AWS_ENDPOINT_URL", &endpoint)]);
        plan.has_happened().await;
        no_fact_is_pending(&system).await;
        Subscriber::new(&system, &facts.url).receives_everything().await;
        relay.kill().await.expect("killed");
    });
}
