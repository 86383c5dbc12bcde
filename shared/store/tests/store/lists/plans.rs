//! How PostgreSQL reads a page: by an index, whatever the filter and the order, and a bounded part
//! of the table.
//!
//! The statements are those that the store runs, from their descriptions in `.sqlx`.

use std::fs;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::rows::{Filter, PRIORITY, TITLE, fill, filters, insert};
use crate::fixture::Fixture;

/// Tasks that the store reads to fill a page of the usual size and to see whether there are more.
const PAGE: u16 = 51;

/// The statements that list tasks.
fn statements() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/.sqlx");
    let mut statements = Vec::new();
    for entry in fs::read_dir(folder).expect("prepared statements") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a statement");
        let statement: Value = serde_json::from_str(&text).expect("JSON");
        let sql = statement["query"].as_str().expect("a query");
        if sql.contains("listed_tasks") && sql.contains("LIMIT $13") {
            statements.push(sql.to_owned());
        }
    }
    statements
}

/// Tasks are read by their identifiers only within a priority.
fn filters_of(statement: &str) -> Vec<Filter> {
    let mut filters = filters();
    if statement.contains("ORDER BY id") {
        for filter in &mut filters {
            filter[PRIORITY].get_or_insert("normal");
        }
    }
    filters
}

/// The values of `$14` and, where it has one, `$15`: at the beginning of the list and in its middle.
fn places(statement: &str) -> [String; 2] {
    let middle = "'7fffffff-ffff-7fff-bfff-ffffffffffff'";
    let types = [("timestamptz", "2026-07-01"), ("date", "2026-07-01")];
    match types.iter().find(|(kind, _)| statement.contains(&format!("$15::text::{kind}"))) {
        Some((_, key)) => ["NULL, NULL".to_owned(), format!("{middle}, '{key}'")],
        None => ["NULL".to_owned(), middle.to_owned()],
    }
}

/// How much of the table and its indexes a plan read, in blocks of 8 KiB; all of it is too much.
fn blocks(plan: &Value) -> u64 {
    let count = |name: &str| plan[name].as_u64().unwrap_or_default();
    let read = count("Shared Hit Blocks") + count("Shared Read Blocks");
    if reads_all(plan) { u64::MAX } else { read }
}

fn reads_all(plan: &Value) -> bool {
    let parts = plan["Plans"].as_array().into_iter().flatten();
    plan["Node Type"] == "Seq Scan" || parts.into_iter().any(reads_all)
}

/// The values of `$9` to `$12`: a text that a title contains, or whole words, or terms.
fn title(text: Option<&str>) -> String {
    match text {
        None => "NULL, NULL, NULL, NULL".to_owned(),
        Some(text) if text.starts_with('%') => format!("'{text}', NULL, NULL, NULL"),
        Some(text) if text.is_ascii() => {
            format!("NULL, '{text}', '{text}', '(?:^|[^[:alnum:]]){text}(?:$|[^[:alnum:]])'")
        }
        Some(text) => format!("NULL, NULL, '{text}', '{text}'"),
    }
}

/// How much a page reads, and its plan. The statement was prepared as `page`.
async fn explain(reader: &mut PgConnection, filter: Filter, place: &str) -> (u64, String) {
    let title = title(filter[TITLE]);
    let mut filter =
        filter.map(|value| value.map_or("NULL".to_owned(), |value| format!("'{value}'")));
    filter[TITLE] = title;
    let execute = format!("EXECUTE page('tenant-1', {}, {PAGE}, {place})", filter.join(", "));
    let explain = AssertSqlSafe(format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {execute}"));
    // sqlx must not keep it: `DEALLOCATE ALL` removes it.
    let explain = sqlx::query_scalar(explain).persistent(false);
    let plans: Value = explain.fetch_one(reader).await.expect("a plan");
    let plan = &plans[0]["Plan"];
    (blocks(plan), format!("{execute}\n{plan:#}"))
}

/// A reader of `fixture`'s whose statements are planned as the store's.
async fn reader(fixture: &Fixture) -> PgConnection {
    let url = fixture.database.reader_url.expose_secret();
    let mut reader = PgConnection::connect(url).await.expect("a connection");
    let as_the_store = "SET plan_cache_mode = force_custom_plan; \
        SET pg_trgm.strict_word_similarity_threshold = 1";
    sqlx::raw_sql(as_the_store).execute(&mut reader).await.expect("a setting");
    reader
}

async fn prepare(reader: &mut PgConnection, statement: &str) {
    let prepare = format!("DEALLOCATE ALL; PREPARE page AS {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(reader).await.expect("prepared");
}

/// The page that reads most, of all statements with all filters from all places on, in a table of
/// so many rows.
async fn worst_page(rows: i64) -> (u64, String) {
    let fixture = Fixture::new().await;
    fill(&fixture.owner, rows).await;
    let mut reader = reader(&fixture).await;
    let statements = statements();
    assert_eq!(statements.len(), 10);
    let mut worst = (0, String::new());
    for statement in &statements {
        prepare(&mut reader, statement).await;
        for filter in filters_of(statement) {
            for place in places(statement) {
                let (blocks, plan) = explain(&mut reader, filter, &place).await;
                if blocks > worst.0 {
                    worst = (blocks, format!("{statement}\n{plan}"));
                }
            }
        }
    }
    worst
}

#[tokio::test]
async fn every_page_of_a_hundred_thousand_tasks_is_read_by_an_index() {
    let (blocks, plan) = worst_page(100_000).await;
    assert!(blocks <= 2_000, "{blocks} blocks:\n{plan}");
}

/// What was written since an index was last brought up to date is read by each search, for each status.
#[tokio::test]
async fn a_search_reads_a_bounded_part_of_what_was_written_last() {
    let fixture = Fixture::new().await;
    fill(&fixture.owner, 100_000).await;
    insert(&fixture.owner, 25_000).await;
    let mut reader = reader(&fixture).await;
    let mut filter = filters()[0];
    filter[TITLE] = Some("%needle%");
    for statement in statements() {
        prepare(&mut reader, &statement).await;
        let (blocks, plan) = explain(&mut reader, filter, &places(&statement)[0]).await;
        assert!(blocks <= 600, "{blocks} blocks:\n{statement}\n{plan}");
    }
}

#[tokio::test]
#[ignore = "a million rows take minutes"]
async fn every_page_of_a_million_tasks_is_read_by_an_index() {
    let (blocks, plan) = worst_page(1_000_000).await;
    assert!(blocks <= 10_000, "{blocks} blocks:\n{plan}");
}
