//! What may stand for a queue on the command line.

use crate::mistake::Mistake;

/// The longest name, `.fifo` included, by SQS.
const LONGEST_NAME: usize = 80;

/// A queue, as an operator names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reference {
    Name(String),
    Url(String),
}

/// Reads a queue's name or URL, so that a mistake costs no request.
pub(crate) fn reference(text: &str) -> Result<Reference, Mistake> {
    if text.starts_with("http://") || text.starts_with("https://") {
        return Ok(Reference::Url(text.to_owned()));
    }
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if let Some(position) = stem.find(|c| !allowed(c)) {
        let message = "a queue's name has letters, digits, `-` and `_`, and may end with `.fifo`";
        return Err(Mistake::at(text, position, message));
    }
    if stem.is_empty() || text.len() > LONGEST_NAME {
        return Err(Mistake::new(format!("a queue's name has 1 to {LONGEST_NAME} characters")));
    }
    Ok(Reference::Name(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_or_a_url_stands_for_a_queue() {
        let name = |text: &str| Ok(Reference::Name(text.to_owned()));
        assert_eq!(reference("orders-dlq"), name("orders-dlq"));
        assert_eq!(reference("orders_dlq.fifo"), name("orders_dlq.fifo"));
        let url = "https://sqs.eu-central-1.amazonaws.com/1/orders-dlq";
        assert_eq!(reference(url), Ok(Reference::Url(url.to_owned())));
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        let mistake = reference("orders dlq").unwrap_err().to_string();
        assert!(mistake.ends_with("  orders dlq\n        ^"), "{mistake}");
        for wrong in ["", ".fifo", "arn:aws:sqs:x:1:q", &"x".repeat(81)] {
            assert!(reference(wrong).is_err(), "{wrong}");
        }
    }
}
