//! Cursors lead on in their own list, and nowhere else.

use serde::Deserialize;

use super::cursor::CURSOR_MAX;
use super::*;
use crate::Query;

type Position = (u32, String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(rename = "limit")]
    _limit: Option<Limit>,
    cursor: Option<Cursor>,
    #[serde(rename = "status")]
    _status: Option<String>,
    #[serde(rename = "sort")]
    _sort: Option<String>,
}

fn cursors(key: &str) -> Cursors {
    Cursors::signed_with(&key.into()).unwrap()
}

fn ours() -> Cursors {
    cursors(&"k".repeat(KEY_MIN))
}

/// What the address of the next page names as its position, to `cursors` and `tenant`.
fn follow(cursors: &Cursors, tenant: &str, target: &str) -> Result<Position, String> {
    let uri = target.parse().unwrap();
    let position = || {
        let Query(parameters) = Query::<Parameters>::from_uri(&uri)?;
        cursors.list(&tenant.parse().unwrap(), &uri).position(&parameters.cursor.unwrap())
    };
    position().map_err(|problem: Problem| problem.to_string())
}

fn next(uri: &str) -> (String, Position) {
    let position = (7, "é>".to_owned());
    let uri = uri.parse().unwrap();
    let next = ours().list(&"acme".parse().unwrap(), &uri).next(&position).unwrap();
    (next.0, position)
}

#[test]
fn the_next_page_is_the_same_request_with_the_cursor() {
    let (target, position) = next("/v1/tasks?status=in%20work&cursor=old&limit=2");
    assert!(target.starts_with("/v1/tasks?status=in+work&limit=2&cursor="), "{target}");
    assert_eq!(follow(&ours(), "acme", &target), Ok(position));
    let (name, link) = Next(target.clone()).link().unwrap();
    assert_eq!(
        (name, link.to_str().unwrap()),
        (header::LINK, &*format!("<{target}>; rel=\"next\""))
    );
}

#[test]
fn the_limit_and_the_order_and_spelling_of_parameters_may_change() {
    let (target, position) = next("/v1/tasks?status=open&sort=due&limit=2");
    for other in ["sort=due&status=open&limit=9&", "sort=%64ue&status=open&"] {
        let target = target.replace("status=open&sort=due&limit=2&", other);
        assert_eq!(follow(&ours(), "acme", &target), Ok(position.clone()), "{target}");
    }
}

#[test]
fn a_cursor_of_another_tenant_list_or_key_is_refused() {
    let (target, _) = next("/v1/tasks?status=open&sort=due");
    let refused = |cursors: &Cursors, tenant: &str, target: &str| {
        let problem = follow(cursors, tenant, target).unwrap_err();
        assert!(problem.starts_with("Parameter `cursor`: "), "{problem}");
    };
    refused(&ours(), "other", &target);
    refused(&cursors(&"K".repeat(KEY_MIN)), "acme", &target);
    for (part, other) in [
        ("/v1/tasks?", "/v1/tasks/1/history?"),
        ("status=open&", ""),
        ("status=open", "status=completed"),
        ("status=open", "status=open%26sort%3Ddue"),
        ("sort=due", "sort=-due"),
    ] {
        refused(&ours(), "acme", &target.replace(part, other));
    }
}

#[test]
fn a_cursor_that_was_changed_is_refused() {
    let (target, _) = next("/v1/tasks?");
    let (list, cursor) = target.split_once("cursor=").unwrap();
    let changed = (0..cursor.len()).map(|at| {
        let change = |(place, one)| match (place == at, one) {
            (false, one) => one,
            (true, 'A') => 'B',
            (true, _) => 'A',
        };
        cursor.chars().enumerate().map(change).collect::<String>()
    });
    let (half, other_half) = cursor.split_at(cursor.len() / 2);
    let others = ["", "x", "%23%23", half, other_half, &"A".repeat(CURSOR_MAX + 1)];
    for bad in changed.chain(others.map(ToOwned::to_owned)) {
        let problem = follow(&ours(), "acme", &format!("{list}cursor={bad}")).unwrap_err();
        assert!(problem.starts_with("Parameter `cursor`: "), "{problem}");
    }
}

#[test]
fn a_short_key_is_refused_and_not_shown() {
    let error = Cursors::signed_with(&"s3cret".into()).unwrap_err().to_string();
    assert!(error.contains("CURSOR_KEY") && error.contains("32"), "{error}");
    assert!(!error.contains("s3cret"));
}
