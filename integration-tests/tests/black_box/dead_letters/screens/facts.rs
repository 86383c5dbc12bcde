//! What is printed of facts that a queue refused.

use secrecy::ExposeSecret as _;

use super::Screen;
use crate::dead_letters::Tool;
use crate::support::system::TestSystem;

const PARKED: &str = "INSERT INTO outbox_blocked_tasks
    (tenant, task_id, seq, fact_id, type, occurred_at, queue, reason, attempts, first_failed_at,
     last_failed_at, retry_at, parked_at)
    SELECT 'acme', ('0192f1a0-7c3e-7b44-9a53-00000000000' || n)::uuid, n,
        ('0192f1a0-7c3e-7b44-9a54-00000000000' || n)::uuid, 'dev.task-app.task.created.v1',
        now(), 'task-facts.fifo', 'InvalidMessageContents', 5, now() + n * interval '1 second',
        now(), now(), now()
    FROM generate_series(1, 3) AS n";
const FIRST: &str = "0192f1a0-7c3e-7b44-9a54-000000000001";

#[tokio::test]
async fn what_is_printed_of_facts() {
    let system = TestSystem::new().await;
    sqlx::raw_sql(PARKED).execute(&system.owner).await.expect("parked");
    for (snapshot, words) in [
        ("facts-ls", &["ls"][..]),
        ("facts-show", &["show", FIRST]),
        ("facts-retry", &["retry", FIRST]),
        ("facts-skip", &["skip", "--every", "--by", "ada", "--why", "INC-9", "--yes"]),
        ("facts-none", &["retry", "--every"]),
    ] {
        let words = [&["facts"], words].concat();
        let mut tool = Tool::new(&words);
        tool.env("DATABASE_URL", system.database.operator_url.expose_secret());
        let output = tool.output().await.expect("a run");
        Screen::default().shows(snapshot, &[(&words, output)]);
    }
}
