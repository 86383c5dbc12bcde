//! The contract of the HTTP API: the OpenAPI document, and the list of problems for people.

mod problems;

use http_support::contract::Document;

use crate::Files;

pub(crate) fn files() -> anyhow::Result<Files> {
    let contract = task_writer::describe(task_reader::describe(Document::default()));
    Ok(Files::from([
        ("shared/http-support/openapi.json".into(), contract.json()?),
        ("docs/problems.md".into(), problems::table()),
    ]))
}
