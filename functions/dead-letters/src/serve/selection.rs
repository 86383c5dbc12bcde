//! What a browser selects: a queue by its name, and filters as on the command line.

use clap::Parser;

use super::problem::Problem;
use crate::arguments::Selection;
use crate::mistake::Mistake;
use crate::queue::{Reference, reference};

/// Stands where the queue is on the command line.
const QUEUE: &str = "queue";

/// The options of `ls` and `groups`, and nothing else.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Line {
    #[command(flatten)]
    selection: Selection,
}

/// Reads the name of a queue. A URL is not one: it could be that of any server.
pub(super) fn queue(name: &str) -> Result<Reference, Problem> {
    match reference(name) {
        Ok(Reference::Url(_)) => Err(Problem::bad_request("a queue's name is expected, no URL")),
        Ok(name) => Ok(name),
        Err(mistake) => Err(Problem::bad_request(mistake.to_string())),
    }
}

/// Filters as the words of a command line.
pub(super) fn words(filters: &str) -> Result<Vec<String>, Problem> {
    shlex::split(filters).ok_or_else(|| {
        let mistake = Mistake::at(filters, filters.len(), "a quote or an escape is not closed");
        Problem::bad_request(mistake.to_string())
    })
}

pub(super) fn selection(name: &str, filters: &str) -> Result<Selection, Problem> {
    let queue = queue(name)?;
    let words = std::iter::once(QUEUE.to_owned()).chain(words(filters)?);
    let mut line =
        Line::try_parse_from(words).map_err(|error| Problem::command_line(&error.to_string()))?;
    line.selection.queue = queue;
    Ok(line.selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_those_of_the_command_line() {
        let filters = r#"--reason 'schema_*' --not tenant=acme --limit 7 --body "a b""#;
        let selection = selection("orders-dlq.fifo", filters).unwrap();
        assert_eq!(selection.which.limit, Some(7));
        assert_eq!(selection.queue, Reference::Name("orders-dlq.fifo".to_owned()));
        assert!(super::selection("-x", "").is_ok(), "a name may begin with a dash");
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let mistake = |filters| selection("q", filters).unwrap_err().detail().to_owned();
        let path = mistake("--body-path '$.data['");
        assert!(path.contains("--body-path") && path.contains("\n  $.data[\n"), "{path}");
        assert!(mistake("--body '(").ends_with("\n  --body '(\n           ^"));
        let unknown = mistake("--raeson x");
        assert!(unknown.contains("'--raeson'") && !unknown.contains("Usage"), "{unknown}");
        assert!(mistake("another-queue").contains("another-queue"));
        for wrong in ["--limit 0", "--limit 1 --sample 1", "--help", "--", "--json"] {
            assert_eq!(selection("q", wrong).is_ok(), wrong == "--", "{wrong}");
        }
    }

    #[test]
    fn only_a_name_is_a_queue() {
        for wrong in ["http://127.0.0.1/1/q", "https://evil.example/1/q", "a b", "", "../q"] {
            assert!(queue(wrong).is_err(), "{wrong}");
        }
    }
}
