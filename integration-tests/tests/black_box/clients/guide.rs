//! curl as a client: the examples of docs/api.md, whose answers are as the page shows them.

use serde_json::Value;
use tokio::process::Command;

use super::System;
use crate::support::documents::{all_blocks, document};

/// Stands for any text.
const ANY: char = '…';
/// Between the answers of two examples.
const BETWEEN: &str = "--- the next example";

/// Commands, and the answer that the page shows after them, if it does.
struct Example<'a> {
    commands: &'a str,
    answer: Option<&'a str>,
}

fn examples(page: &str) -> Vec<Example<'_>> {
    let mut examples = Vec::<Example<'_>>::new();
    for block in all_blocks(page) {
        if block.language == "sh" {
            examples.push(Example { commands: block.text, answer: None });
        } else {
            assert_eq!(block.language, "http", "each block is tested");
            let example = examples.last_mut().expect("commands before an answer");
            assert_eq!(example.answer.replace(block.text), None, "two answers");
        }
    }
    examples
}

/// The head of an answer, and its body.
fn parts(answer: &str) -> (&str, &str) {
    answer.split_once("\n\n").unwrap_or((answer, ""))
}

/// Whether a text is one that a pattern stands for.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((begin, rest)) = pattern.split_once(ANY) else { return pattern == text };
    let mut rest = rest.split(ANY).collect::<Vec<_>>();
    let end = rest.pop().unwrap_or_default();
    let inner = text.strip_prefix(begin).and_then(|text| text.strip_suffix(end));
    let after = |left: &'_ str, part: &str| left.find(part).map(|at| at + part.len());
    let mut left = inner;
    for part in rest {
        left = left.and_then(|text| after(text, part).and_then(|at| text.get(at..)));
    }
    left.is_some()
}

/// Whether JSON has what is shown of it.
fn has(actual: &Value, shown: &Value) -> bool {
    match (actual, shown) {
        (Value::Object(actual), Value::Object(shown)) => shown
            .iter()
            .all(|(name, shown)| actual.get(name).is_some_and(|actual| has(actual, shown))),
        (Value::Array(actual), Value::Array(shown)) => {
            actual.len() == shown.len() && actual.iter().zip(shown).all(|(a, s)| has(a, s))
        }
        (Value::String(actual), Value::String(shown)) => fits(shown, actual),
        _ => actual == shown,
    }
}

/// Compares an answer with what the page shows of it.
fn is_as_shown(actual: &str, shown: &str) {
    let complaint = format!("{shown}\nis shown, and was answered by\n{actual}");
    let ((head, body), (shown_head, shown_body)) = (parts(actual), parts(shown));
    for (index, line) in shown_head.lines().enumerate() {
        let is_there = if index == 0 {
            head.lines().next().map(str::trim_end) == Some(line)
        } else {
            head.lines().any(|one| fits(line, one))
        };
        assert!(is_there, "`{line}` is missing: {complaint}");
    }
    if shown_body.is_empty() {
        assert_eq!(body.trim(), "", "{complaint}");
        return;
    }
    let json = |text: &str| serde_json::from_str::<Value>(text).expect(&complaint);
    assert!(has(&json(body), &json(shown_body)), "{complaint}");
}

#[tokio::test]
async fn each_example_of_the_page_is_answered_as_it_shows() {
    let page = document("docs/api.md");
    let examples = examples(&page);
    let shown = examples.iter().filter(|example| example.answer.is_some()).count();
    assert!(shown > 15, "{shown}");
    let commands: Vec<_> = examples.iter().map(|example| example.commands).collect();
    let between = format!("\necho '{BETWEEN}'\n");

    let system = System::new().await;
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &commands.join(&between)]).env("API", &system.url);
    let said = system.plays(&mut shell).await.replace('\r', "");
    let answers: Vec<_> = said.split(BETWEEN).collect();
    assert_eq!(answers.len(), examples.len(), "{said}");
    for (answer, example) in answers.iter().zip(&examples) {
        match example.answer {
            Some(shown) => is_as_shown(answer.trim_start(), shown),
            None => assert_eq!(answer.trim(), "", "{}", example.commands),
        }
    }
}

#[test]
fn what_is_shown_is_compared() {
    let actual = "HTTP/1.1 200 OK\netag: \"1\"\nlink: </a?cursor=x>; rel=\"next\"\n\n\
        {\"id\":\"abc\",\"tags\":[\"a\"],\"version\":1}";
    for good in [
        "HTTP/1.1 200 OK\netag: \"1\"\n\n{\"version\": 1}",
        "HTTP/1.1 200 OK\nlink: </a?…>; rel=\"next\"\n\n{\"id\": \"…\", \"tags\": [\"…\"]}",
        "HTTP/1.1 200 OK\nlink: <…cursor=…>;…\n\n{\"id\": \"a…c\"}",
    ] {
        is_as_shown(actual, good);
    }
    for bad in [
        "HTTP/1.1 201 Created\n\n{}",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\netag: \"2\"\n\n{}",
        "HTTP/1.1 200 OK\nlink: <…other…>…\n\n{}",
        "HTTP/1.1 200 OK\n\n{\"version\": 2}",
        "HTTP/1.1 200 OK\n\n{\"title\": \"…\"}",
        "HTTP/1.1 200 OK\n\n{\"tags\": []}",
        "HTTP/1.1 200 OK\n\n{\"id\": \"ab…bc\"}",
    ] {
        let compared = std::panic::catch_unwind(|| is_as_shown(actual, bad));
        assert!(compared.is_err(), "{bad}");
    }
}
