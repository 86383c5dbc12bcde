//! No statement reaches another tenant's rows, and no role more than it needs.

use std::fs;

use domain::Refusal;
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row as _};
use store::Outcome;

use crate::attachments::key;
use crate::fixture::{Fixture, complete, create, delete, new_task, of_tenant, rename};

#[tokio::test]
async fn another_tenants_task_is_no_task_to_any_command_or_read() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![of_tenant("acme", "1", task, create("Ours"))]).await;
    let before = fixture.look("SELECT tasks::text FROM tasks").await;

    for (id, action) in [("2", rename("Theirs", None)), ("3", complete()), ("4", delete())] {
        let receipts = fixture.apply(vec![of_tenant("other", id, task, action)]).await;
        assert_eq!(receipts[0].outcome, Outcome::Refused(Refusal::TaskNotFound));
        assert_eq!(receipts[0].task, None);
    }
    // The key of a command is the tenant's own too.
    let receipts = fixture.apply(vec![of_tenant("other", "1", task, create("Theirs"))]).await;
    assert!(!receipts[0].repeated);

    let seen = fixture.newest("other").await;
    assert_eq!(seen.iter().map(|task| task.title.as_str()).collect::<Vec<_>>(), ["Theirs"]);
    let ours = "SELECT tasks::text FROM tasks WHERE tenant = 'acme'";
    assert_eq!(fixture.look(ours).await, before);
}

#[tokio::test]
async fn two_tenants_in_one_batch_do_not_mix() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture
        .apply(vec![
            of_tenant("acme", "1", task, create("Ours")),
            of_tenant("other", "1", task, create("Theirs")),
            of_tenant("other", "2", task, rename("Still theirs", None)),
        ])
        .await;
    let titles = "SELECT string_agg(tenant || ':' || title, ' ' ORDER BY tenant) FROM tasks";
    assert_eq!(fixture.look(titles).await, "acme:Ours other:Still theirs");
}

#[test]
fn every_statement_names_the_tenant() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    let mut statements = 0;
    for entry in fs::read_dir(folder).expect("prepared statements") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a statement");
        let statement: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let sql = statement["query"].as_str().expect("a query");
        assert!(sql == "SELECT 1" || sql.contains("tenant"), "{sql}");
        statements += 1;
    }
    assert!(statements > 1);
}

#[tokio::test]
async fn a_writer_sees_and_writes_only_the_tenants_of_its_transaction() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![of_tenant("acme", "1", task, create("Ours"))]).await;
    fixture.attach(&key("acme", task)).await;
    let writer =
        PgPool::connect(fixture.database.writer_url.expose_secret()).await.expect("a login");

    for (tenants, seen) in [("''", 0_i64), ("'other'", 0), ("'acme'", 1), ("'other,acme'", 1)] {
        let begin = format!("BEGIN; SET LOCAL app.tenants = {tenants}");
        let mut transaction = writer.begin_with(AssertSqlSafe(begin)).await.expect("a transaction");
        for table in ["tasks", "inbox", "attachments"] {
            let count = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
            let row = count.fetch_one(&mut *transaction).await.expect("a count");
            assert_eq!(row.get::<i64, _>(0), seen, "{table} for {tenants}");
        }
    }
    let insert = "BEGIN; SET LOCAL app.tenants = 'other';
        INSERT INTO outbox (tenant, task_id, type, data, occurred_at)
        VALUES ('acme', gen_random_uuid(), 't', '{}', now())";
    let error = sqlx::raw_sql(insert).execute(&writer).await.expect_err("a refusal");
    assert!(error.to_string().contains("row-level security"), "{error}");
}

#[tokio::test]
async fn each_role_may_do_what_it_needs_and_no_more() {
    let fixture = Fixture::new().await;
    let granted = fixture
        .look(
            "SELECT string_agg(grantee || ' ' || table_name || ' ' || privileges, E'\n' ORDER BY 1)
             FROM (SELECT grantee, table_name,
                          string_agg(privilege_type, ',' ORDER BY privilege_type) AS privileges
                   FROM information_schema.role_table_grants
                   WHERE grantee IN ('task_app_reader', 'task_app_writer', 'task_app_relay',
                                   'task_app_attachments', 'task_app_operator', 'task_app_backup',
                                   'PUBLIC')
                   AND table_schema = 'public'
                   GROUP BY grantee, table_name) AS grants",
        )
        .await;
    let mut granted: Vec<_> = granted.lines().collect();
    granted.sort_unstable();
    assert_eq!(
        granted,
        [
            "task_app_attachments attachments DELETE,SELECT",
            "task_app_backup _sqlx_migrations SELECT",
            "task_app_backup attachments SELECT",
            "task_app_backup inbox SELECT",
            "task_app_backup listed_tasks SELECT",
            "task_app_backup outbox SELECT",
            "task_app_backup outbox_blocked_tasks SELECT",
            "task_app_backup outbox_relays SELECT",
            "task_app_backup outbox_shards SELECT",
            "task_app_backup outbox_skipped_facts SELECT",
            "task_app_backup tasks SELECT",
            "task_app_operator outbox DELETE,SELECT",
            "task_app_operator outbox_blocked_tasks SELECT",
            "task_app_operator outbox_skipped_facts INSERT,SELECT",
            "task_app_reader attachments SELECT",
            "task_app_reader listed_tasks SELECT",
            "task_app_reader tasks SELECT",
            "task_app_relay inbox DELETE,SELECT",
            "task_app_relay outbox DELETE,SELECT",
            "task_app_relay outbox_blocked_tasks DELETE,INSERT,SELECT,UPDATE",
            "task_app_relay outbox_relays DELETE,INSERT,SELECT,UPDATE",
            "task_app_relay outbox_shards SELECT",
            "task_app_relay tasks SELECT",
            "task_app_writer attachments INSERT,SELECT",
            "task_app_writer inbox INSERT,SELECT",
            "task_app_writer outbox INSERT",
            "task_app_writer tasks INSERT,SELECT,UPDATE",
        ]
    );
}
