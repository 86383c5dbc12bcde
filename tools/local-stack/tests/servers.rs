//! The private servers, started, crashed and started again.

#![expect(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::collections::HashMap;
use std::path::Path;

use aws_sdk_sqs::types::QueueAttributeName;
use local_stack::{
    AwsAccess, Durability, External, Server, Servers, State, TestDatabase, create_fifo_queue, ports,
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;

/// A state folder that others cannot enter, as below a developer's closed home.
fn closed_state() -> (State, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (State::open(folder.path().join("state")).unwrap(), folder)
}

async fn execute(url: &SecretString, sql: &'static str) -> Result<u64, sqlx::Error> {
    let mut connection = PgConnection::connect(url.expose_secret()).await?;
    let done = sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

#[tokio::test]
async fn postgres_keeps_what_was_committed_before_a_crash() {
    let (state, _folder) = closed_state();
    let mut postgres = Server::postgres(&state, Durability::Throwaway).await.unwrap();
    let url = postgres.url().clone();
    execute(&url, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1), (2)").await.unwrap();

    postgres.kill().await.unwrap();
    execute(&url, "SELECT 1").await.unwrap_err();
    postgres.restart().await.unwrap();
    assert_eq!(execute(&url, "DELETE FROM kept").await.unwrap(), 2);
    assert!(postgres.stop().await.unwrap().success());
}

#[tokio::test]
async fn redis_comes_back_at_the_same_address() {
    let (state, _folder) = closed_state();
    let mut redis = Server::redis(&state).await.unwrap();
    let url = redis.url().expose_secret().to_owned();
    let pid = redis.process().id();

    redis.kill().await.unwrap();
    redis.restart().await.unwrap();
    assert_eq!(redis.url().expose_secret(), url);
    assert_ne!(redis.process().id(), pid);
}

#[tokio::test]
async fn creating_a_queue_again_brings_it_up_to_date() {
    let (state, _folder) = closed_state();
    let mut aws = Server::aws(&state, ports::free(None).unwrap()).await.unwrap();
    let client = AwsAccess::private(aws.url().expose_secret()).sqs();
    let first = create_fifo_queue(&client, "commands", 5).await.unwrap();
    aws.restart().await.unwrap();
    let again = create_fifo_queue(&client, "commands", 3).await.unwrap();
    assert_eq!(first.url, again.url);

    let attributes = attributes(&client, &again.url).await;
    let redrive = attributes.get(&QueueAttributeName::RedrivePolicy).unwrap();
    let redrive: serde_json::Value = serde_json::from_str(redrive).unwrap();
    assert_eq!(redrive["maxReceiveCount"], 3);
    let target = redrive["deadLetterTargetArn"].as_str().unwrap();
    assert_eq!(Path::new(&again.dead_letter_url).file_name().unwrap(), "commands-dlq.fifo");
    assert!(target.ends_with(":commands-dlq.fifo"), "{target}");
}

async fn attributes(
    client: &aws_sdk_sqs::Client,
    url: &str,
) -> HashMap<QueueAttributeName, String> {
    let request = client.get_queue_attributes().queue_url(url);
    let all = request.attribute_names(QueueAttributeName::All).send().await.unwrap();
    all.attributes.unwrap()
}

#[tokio::test]
async fn a_test_database_is_migrated_private_and_gone_afterwards() {
    let (state, _folder) = closed_state();
    let postgres = Server::postgres(&state, Durability::Throwaway).await.unwrap();
    let (first, second) = tokio::join!(
        TestDatabase::create_on(postgres.url()),
        TestDatabase::create_on(postgres.url())
    );
    let (first, second) = (first.unwrap(), second.unwrap());

    execute(&first.owner_url, "CREATE TABLE mine ()").await.unwrap();
    execute(&second.owner_url, "SELECT * FROM mine").await.unwrap_err();
    execute(&first.writer_url, "SELECT * FROM tasks").await.unwrap();
    execute(&first.reader_url, "DELETE FROM tasks").await.unwrap_err();

    let gone = first.owner_url.clone();
    // It goes with the thread that drops it.
    std::thread::spawn(move || drop(first)).join().unwrap();
    execute(&gone, "SELECT 1").await.unwrap_err();
    execute(&second.reader_url, "SELECT 1").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_given_is_not_started() {
    let (state, _folder) = closed_state();
    let external = External {
        database_url: Some("postgres://somebody@somewhere/there".into()),
        redis_url: Some("redis://somewhere".into()),
        aws_endpoint_url: Some("http://somewhere".into()),
        ..External::default()
    };
    let mut servers = Servers::new(external);
    servers.start(&state, Durability::Throwaway, 1).await.unwrap();
    assert_eq!(servers.processes().count(), 0);
    assert_eq!(servers.redis_url().unwrap().expose_secret(), "redis://somewhere");
    assert_eq!(servers.aws().unwrap().endpoint, "http://somewhere");
}
