//! Messages that come again weeks later, as a replay of dead letters has it: while a relay purges
//! what nobody may repeat any more.

use crate::load::Load;
use crate::world::{World, eventually};

use super::final_state;
use super::world::{relay_to, worker};
use crate::relay::facts_queue;

/// The messages of a queue and of its dead letters are gone after 28 days, and a command is
/// remembered for 30.
#[tokio::test]
async fn a_replay_after_27_days_changes_nothing_and_what_is_31_days_old_is_purged() {
    let (world, load) = (World::new().await, Load::on(2, 4, 16));
    let _worker = worker(&world, &[]);
    world.send(&load.messages).await;
    final_state::is_empty(&world, &world.queue, 0).await;
    load.assert_is_what_is_left(&world).await;
    age(&world, "UPDATE inbox SET processed_at = processed_at - interval '27 days'").await;
    // Of a task that is gone, so that nothing else shows whether it was purged.
    let old = "INSERT INTO inbox (tenant, source, command_id, fingerprint, task_id, outcome, processed_at)
        SELECT tenant, source, 'old', fingerprint, task_id, outcome, now() - interval '31 days'
        FROM inbox LIMIT 1";
    age(&world, old).await;

    let facts = facts_queue(&world).await;
    let _relay = relay_to(&world, &facts.url, &[]);
    eventually("what is old is purged", async || {
        (world.count("SELECT count(*) FROM inbox WHERE command_id = 'old'").await == 0)
            .then_some(())
    })
    .await;
    let before = final_state::tasks(&world).await;
    world.send(&load.messages).await;
    final_state::is_empty(&world, &world.queue, 0).await;
    assert_eq!(final_state::tasks(&world).await, before);
    assert_eq!(world.count("SELECT count(*) FROM inbox").await, load.distinct);
}

async fn age(world: &World, sql: &'static str) {
    sqlx::query(sql).execute(&world.owner).await.expect("changed");
}
