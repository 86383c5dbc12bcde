//! The order of a task's commands, where commands fail one by one.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::system::{TestSystem, event};

/// The task's first try fails for a passing cause; a sequence knows, for it is not rolled back.
const FLAKY: [&str; 4] = [
    "ALTER TABLE tasks ADD CONSTRAINT refused CHECK (title <> 'refused')",
    "CREATE SEQUENCE tries",
    "CREATE FUNCTION flaky() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
     IF NEW.title = 'flaky' AND nextval('tries') = 1 THEN \
     RAISE EXCEPTION 'passing' USING ERRCODE = 'insufficient_resources'; END IF; \
     RETURN NEW; END $$",
    "CREATE TRIGGER flaky AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION flaky()",
];

#[tokio::test]
async fn a_retried_command_is_not_overtaken_by_a_later_one_of_its_task() {
    let system = TestSystem::new().await;
    for statement in FLAKY {
        sqlx::query(statement).execute(&system.owner).await.expect(statement);
    }
    let (refused, task) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    let create = |id: &str, subject: &str, title: &str| {
        event(id, "create-task", subject, &json!({"title": title}))
    };
    system
        .send(&[
            (refused.clone(), create("1", &refused, "refused")),
            (task.clone(), create("2", &task, "flaky")),
            (task.clone(), event("3", "complete-task", &task, &Value::Object(<_>::default()))),
        ])
        .await;
    let _worker = system.start_worker("command-worker", &[("QUEUE_RECEIVERS", "1")]);
    system.processed(2).await;
    let done = "SELECT count(*) FROM tasks WHERE title = 'flaky' AND status = 'completed'";
    assert_eq!(system.count(done).await, 1, "the task was created, and then completed");
}
