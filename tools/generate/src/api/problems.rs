//! The problems of the API, as a page for people.

use http_support::problems;
use runtime::http::ProblemType;

const INTRODUCTION: &str = "\
<!-- Made by `make generate` from shared/http-support/src/problem/types.rs. Do not edit. -->
# Problems

Every error of the HTTP API is a problem document (RFC 9457, `application/problem+json`). Match on
`type`; `title` and `detail` are for people, and their wording may change. `request_id` is the name
under which the service's log knows the request. More types may come; treat one that you do not know
as its status says.

| type | status | when | what to do |
|---|---|---|---|
";

/// A row for each type, by status.
pub(crate) fn table() -> String {
    let mut types: Vec<_> = problems::every().collect();
    types.sort_by_key(|problem| (problem.status, problem.slug));
    INTRODUCTION.to_owned() + &types.into_iter().map(row).collect::<String>()
}

fn row(problem: &ProblemType) -> String {
    let ProblemType { status, when, remedy, .. } = problem;
    format!("| `{}` | {} | {when} | {remedy} |\n", problem.urn(), status.as_u16())
}
