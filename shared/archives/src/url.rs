//! How people name an S3 object.

const SCHEME: &str = "s3://";

/// `s3://BUCKET/KEY`.
#[must_use]
pub fn url(bucket: &str, key: &str) -> String {
    format!("{SCHEME}{bucket}/{key}")
}

/// The bucket and the key of `s3://BUCKET/KEY`, either of which may be empty; `None` if it is no such URL.
#[must_use]
pub fn parse_url(text: &str) -> Option<(&str, &str)> {
    let object = text.strip_prefix(SCHEME)?;
    Some(object.split_once('/').unwrap_or((object, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_bucket_and_a_key() {
        for (text, expected) in [
            ("s3://b/k/1", Some(("b", "k/1"))),
            ("s3://b", Some(("b", ""))),
            ("s3:///k", Some(("", "k"))),
            ("b/k", None),
        ] {
            assert_eq!(parse_url(text), expected, "{text}");
        }
        assert_eq!(parse_url(&url("b", "k/1")), Some(("b", "k/1")));
    }
}
