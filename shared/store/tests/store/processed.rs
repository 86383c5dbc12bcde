//! What an operator sees of commands that were processed.

use domain::Refusal;
use secrecy::ExposeSecret as _;
use sqlx::PgPool;
use store::{ProcessedCommands, ProcessedResult, Sought};

use crate::fixture::{
    Fixture, called_by, complete, create, incoming, new_task, now, of_tenant, rename,
};

fn key(id: &str) -> Sought {
    Sought { key: incoming(id, new_task(), complete()).key, caller: None }
}

#[tokio::test]
async fn an_operator_finds_what_became_of_a_command_of_its_tenant() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture
        .apply(vec![
            incoming("1", task, create("Ours")),
            incoming("2", new_task(), complete()),
            of_tenant("other", "3", task, create("Theirs")),
        ])
        .await;
    let operator = ProcessedCommands::new(fixture.operator.clone());
    let keys = [key("2"), key("3"), key("1"), key("4")];
    let found = operator.find("acme", &keys).await.expect("an answer");
    let results: Vec<_> = found.into_iter().map(|found| found.map(|one| one.result)).collect();
    let [Some(Some(refused)), None, Some(Some(ProcessedResult::Applied(_))), None] = &results[..]
    else {
        panic!("{results:?}")
    };
    assert_eq!(*refused, ProcessedResult::Refused(Refusal::TaskNotFound));
}

#[tokio::test]
async fn what_one_caller_did_under_a_key_says_nothing_of_another() {
    let fixture = Fixture::new().await;
    let operator = ProcessedCommands::new(fixture.operator.clone());
    let by =
        |caller: &str| Sought { caller: Some(caller.parse().expect("a caller")), ..key("one") };
    let (ann, bob) = (by("ann"), by("bob"));
    let one = |caller, title| called_by(caller, incoming("one", new_task(), create(title)));
    fixture.apply(vec![one("ann", "Buy milk")]).await;
    let found = operator.find("acme", &[ann.clone(), bob.clone()]).await.expect("an answer");
    assert!(found[0].is_some() && found[1].is_none(), "{found:?}");

    fixture.apply(vec![one("bob", "Buy milk")]).await;
    let found = operator.find("acme", &[ann, bob, key("one")]).await.expect("an answer");
    let ids: Vec<_> = found.iter().flatten().map(|one| one.id.clone()).collect();
    assert!(ids.len() == 3 && ids[0] == "one" && ids[1].starts_with("caller-") && ids[2] == "one");
}

#[tokio::test]
async fn an_operator_sees_which_commands_of_a_task_were_refused_since() {
    let fixture = Fixture::new().await;
    let (task, since) = (new_task(), now());
    fixture
        .apply(vec![
            incoming("1", task, complete()),
            incoming("2", new_task(), complete()),
            incoming("3", task, rename("x", None)),
            of_tenant("other", "4", task, complete()),
            incoming("5", task, create("Late")),
        ])
        .await;
    let operator = ProcessedCommands::new(fixture.operator.clone());
    let refused = operator.refused_since("acme", task.as_uuid(), since, 10).await.expect("a list");
    assert_eq!(refused.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let refused = operator.refused_since("acme", task.as_uuid(), since, 1).await.expect("a list");
    assert_eq!(refused.len(), 1);
    let later = since + chrono::Duration::hours(1);
    let refused = operator.refused_since("acme", task.as_uuid(), later, 10).await.expect("a list");
    assert_eq!(refused, []);
}

#[tokio::test]
async fn an_operator_sees_nothing_of_what_a_command_said_and_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.apply(vec![incoming("1", new_task(), create("Ours"))]).await;
    let operator =
        PgPool::connect(fixture.database.operator_url.expose_secret()).await.expect("a login");
    for forbidden in ["SELECT fingerprint FROM inbox", "DELETE FROM inbox", "SELECT * FROM tasks"] {
        let refused = sqlx::raw_sql(forbidden).execute(&operator).await.expect_err("refused");
        assert!(refused.to_string().contains("permission denied"), "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn refused_commands_are_found_by_their_index() {
    let fixture = Fixture::new().await;
    let mut transaction = fixture.owner.begin().await.expect("a transaction");
    let small = sqlx::raw_sql("SET LOCAL enable_seqscan = off");
    small.execute(&mut *transaction).await.expect("a setting");
    let plan: Vec<String> = sqlx::query_scalar(
        "EXPLAIN SELECT command_id FROM inbox WHERE tenant = 'acme'
        AND task_id = gen_random_uuid() AND processed_at >= now() AND outcome ? 'refused'
        ORDER BY processed_at, source, command_id LIMIT 10",
    )
    .fetch_all(&mut *transaction)
    .await
    .expect("a plan");
    let plan = plan.join("\n");
    assert!(plan.contains("inbox_refused"), "{plan}");
}
