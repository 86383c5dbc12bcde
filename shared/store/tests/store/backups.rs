//! What a backup is compared with: every table is seen, and every difference is found.

use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Executor as _};
use store::DatabaseUrl;
use store::backup::{Contents, Snapshot, check};

use crate::fixture::{Fixture, complete, create, incoming, new_task, rename};

fn database(url: &SecretString) -> DatabaseUrl {
    DatabaseUrl::of(url.clone())
}

async fn contents(fixture: &Fixture) -> Contents {
    let mut snapshot = Snapshot::begin(&database(&fixture.database.backup_url)).await;
    let snapshot = snapshot.as_mut().expect("a snapshot");
    snapshot.contents().await.expect("contents")
}

async fn filled() -> Fixture {
    let fixture = Fixture::new().await;
    let (first, second) = (new_task(), new_task());
    fixture.apply(vec![incoming("1", first, create("First"))]).await;
    fixture.apply(vec![incoming("2", second, create("Second"))]).await;
    fixture.apply(vec![incoming("3", first, rename("Renamed", None))]).await;
    fixture.apply(vec![incoming("4", second, complete())]).await;
    fixture
}

async fn execute(fixture: &Fixture, sql: &str) {
    fixture.owner.execute(AssertSqlSafe(sql.to_owned())).await.expect(sql);
}

#[tokio::test]
async fn the_role_of_backups_sees_every_row_of_every_table() {
    let fixture = filled().await;
    let contents = contents(&fixture).await;
    assert_eq!(contents.tables["tasks"].rows, 2);
    assert_eq!((contents.tables["inbox"].rows, contents.tables["outbox"].rows), (4, 4));
    assert_eq!(contents.tables["outbox_shards"].rows, 16);
    let last = fixture.look("SELECT max(seq)::text FROM outbox").await;
    assert_eq!(contents.last_outbox_sequence.to_string(), last);
    let tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(contents.tables.len().to_string(), fixture.look(tables).await);
    assert!(contents.inbox.oldest.is_some_and(|oldest| Some(oldest) <= contents.inbox.newest));
    assert!(contents.roles.contains(&"task_app_writer".to_owned()), "{:?}", contents.roles);
    for expected in [
        "policy every_tenant_to_backups of tasks: PERMISSIVE for task_app_backup using true",
        "task_app_backup may SELECT on tasks",
        "task_app_relay may UPDATE column sent of outbox",
        "trigger delete_attachments of tasks",
        "row-level security of tasks",
        "_sqlx_migrations belongs to task_app_owner",
    ] {
        assert!(contents.objects.iter().any(|object| object == expected), "{expected}");
    }
}

#[tokio::test]
async fn a_later_table_is_granted_and_one_without_all_of_its_rows_is_refused() {
    let fixture = filled().await;
    let of_owner = "SET ROLE task_app_owner; CREATE TABLE later (tenant text); RESET ROLE";
    execute(&fixture, of_owner).await;
    assert!(contents(&fixture).await.tables.contains_key("later"));
    for hide in [
        "ALTER TABLE later ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY one_tenant ON later FOR SELECT TO task_app_backup USING (tenant = 'acme')",
        "CREATE POLICY others ON later FOR SELECT TO task_app_reader USING (true)",
        "CREATE POLICY every_tenant ON later FOR SELECT TO task_app_backup USING (true);
         CREATE POLICY narrow ON later AS RESTRICTIVE FOR SELECT USING (tenant <> 'acme')",
        "ALTER TABLE later DISABLE ROW LEVEL SECURITY; REVOKE SELECT ON later FROM task_app_backup",
    ] {
        execute(&fixture, hide).await;
        let refused = Snapshot::begin(&database(&fixture.database.backup_url)).await;
        let error = refused.expect_err(hide).to_string();
        assert!(error.contains("does not see all rows of later"), "{error}");
    }
    execute(&fixture, "GRANT SELECT ON later TO task_app_backup").await;
    contents(&fixture).await;
}

#[tokio::test]
async fn rows_have_the_same_digest_in_any_order_and_under_any_settings() {
    let fixture = filled().await;
    let before = contents(&fixture).await;
    // Rewritten, they are in another order, with other row versions.
    execute(&fixture, "UPDATE tasks SET title = title").await;
    execute(&fixture, "VACUUM FULL tasks").await;
    execute(&fixture, "CLUSTER tasks USING tasks_pkey").await;
    let database = fixture.look("SELECT current_database()::text").await;
    for setting in ["timezone = 'Asia/Kolkata'", "datestyle = 'German'", "bytea_output = 'escape'"]
    {
        execute(&fixture, &format!("ALTER DATABASE {database} SET {setting}")).await;
    }
    let after = contents(&fixture).await;
    assert_eq!((before.tables, before.objects), (after.tables, after.objects));
}

#[tokio::test]
async fn each_difference_is_found() {
    for (change, expected) in [
        ("DELETE FROM outbox WHERE seq = (SELECT max(seq) FROM outbox)", "outbox has 3 rows, and had 4"),
        ("UPDATE inbox SET fingerprint = 'x' WHERE command_id = '1'", "rows of inbox differ"),
        ("UPDATE tasks SET version = 9 WHERE title = 'Renamed'", "the newest fact of the task"),
        ("DROP INDEX tasks_by_due", "missing: index tasks_by_due of tasks"),
        ("DROP POLICY every_tenant ON outbox", "missing: policy every_tenant of outbox"),
        ("ALTER TABLE tasks DISABLE ROW LEVEL SECURITY", "missing: row-level security of tasks"),
        ("REVOKE UPDATE (sent) ON outbox FROM task_app_relay", "may UPDATE column sent of outbox"),
        ("GRANT DELETE ON tasks TO task_app_writer", "was not there: task_app_writer may DELETE"),
        ("ALTER TABLE tasks DISABLE TRIGGER delete_attachments", "missing: trigger delete_attachments"),
        ("ALTER TABLE tasks DROP CONSTRAINT title_length", "missing: constraint title_length of tasks"),
        ("CREATE TABLE another (id integer)", "the table another was not in the dump"),
        ("DROP TABLE outbox_skipped_facts", "the table outbox_skipped_facts is missing"),
        (
            "ALTER TABLE tasks DROP CONSTRAINT title_length;
             UPDATE tasks SET title = repeat('x', 300);
             ALTER TABLE tasks ADD CONSTRAINT title_length CHECK (char_length(title) <= 200) NOT VALID",
            "VALIDATE CONSTRAINT title_length",
        ),
        ("UPDATE _sqlx_migrations SET checksum = 'x' WHERE version = 1", "`migrate` fails"),
    ] {
        let fixture = filled().await;
        let contents = contents(&fixture).await;
        let url = database(&fixture.database.owner_url);
        execute(&fixture, change).await;
        let checked = check(&url, &contents).await.expect("a comparison");
        let problems = checked.problems.join("\n");
        assert!(problems.contains(expected), "{change}: {expected}\n{problems}");
    }
    let fixture = filled().await;
    let contents = contents(&fixture).await;
    let checked = check(&database(&fixture.database.owner_url), &contents).await;
    let checked = checked.expect("a comparison");
    assert_eq!((checked.problems.len(), checked.facts, checked.migrated), (0, 2, false));
}
