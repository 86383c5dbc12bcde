//! Messages that come again weeks later, as a replay of dead letters has it: while a relay purges
//! what nobody may repeat any more.

use crate::support::load::Load;
use crate::support::system::{TestSystem, eventually};

use super::final_state;
use super::systems::{relay_to, worker};
use crate::relay::facts_queue;

/// The messages of a queue and of its dead letters are gone after 28 days, and a command is
/// remembered for 30.
#[tokio::test]
async fn a_replay_after_27_days_changes_nothing_and_what_is_31_days_old_is_purged() {
    let (system, load) = (TestSystem::new().await, Load::on(2, 4, 16));
    let _worker = worker(&system, &[]);
    system.send(&load.messages).await;
    final_state::is_empty(&system, &system.queue, 0).await;
    load.assert_is_what_is_left(&system).await;
    age(&system, "UPDATE inbox SET processed_at = processed_at - interval '27 days'").await;
    // Of a task that is gone, so that nothing else shows whether it was purged.
    let old = "INSERT INTO inbox (tenant, source, command_id, fingerprint, task_id, outcome, processed_at)
        SELECT tenant, source, 'old', fingerprint, task_id, outcome, now() - interval '31 days'
        FROM inbox LIMIT 1";
    age(&system, old).await;

    let facts = facts_queue(&system).await;
    let _relay = relay_to(&system, &facts.url, &[]);
    eventually("what is old is purged", async || {
        (system.count("SELECT count(*) FROM inbox WHERE command_id = 'old'").await == 0)
            .then_some(())
    })
    .await;
    let before = final_state::tasks(&system).await;
    system.send(&load.messages).await;
    final_state::is_empty(&system, &system.queue, 0).await;
    assert_eq!(final_state::tasks(&system).await, before);
    assert_eq!(system.count("SELECT count(*) FROM inbox").await, load.distinct);
}

async fn age(system: &TestSystem, sql: &'static str) {
    sqlx::query(sql).execute(&system.owner).await.expect("changed");
}
