//! Where a file is, as an operator names it.

use std::fmt::{Display, Formatter, Result as Formatted};
use std::path::{Path, PathBuf};

use archives::{parse_url, url};

use crate::mistake::Mistake;

const STDOUT: &str = "-";
/// The end of the name of what is compressed.
const COMPRESSED: &str = ".zst";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Stdout,
    Local(PathBuf),
    Object { bucket: String, key: String },
}

/// Reads `FILE`, `s3://BUCKET/KEY` or `-`.
pub(crate) fn target(text: &str) -> Result<Place, Mistake> {
    if text == STDOUT { Ok(Place::Stdout) } else { source(text) }
}

/// Reads `FILE` or `s3://BUCKET/KEY`.
pub(crate) fn source(text: &str) -> Result<Place, Mistake> {
    let Some((bucket, key)) = parse_url(text) else { return local(text) };
    if bucket.is_empty() || key.is_empty() || key.ends_with('/') {
        let message =
            "a bucket and a key are expected, as in `s3://bucket/dead-letters.ndjson.zst`";
        return Err(Mistake::at(text, text.len(), message));
    }
    Ok(Place::Object { bucket: bucket.to_owned(), key: key.to_owned() })
}

fn local(text: &str) -> Result<Place, Mistake> {
    if text == STDOUT {
        let message = "a file is read twice, first to check it, so it cannot be the standard input";
        return Err(Mistake::at(text, 0, message));
    }
    if Path::new(text).file_name().is_none() {
        return Err(Mistake::at(text, 0, "the name of a file is expected"));
    }
    Ok(Place::Local(text.into()))
}

impl Place {
    /// Whether what is there is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        match self {
            Self::Stdout => false,
            Self::Local(path) => path.to_string_lossy().ends_with(COMPRESSED),
            Self::Object { key, .. } => key.ends_with(COMPRESSED),
        }
    }
}

impl Display for Place {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Formatted {
        match self {
            Self::Stdout => write!(formatter, "the standard output"),
            Self::Local(path) => write!(formatter, "{}", path.display()),
            Self::Object { bucket, key } => formatter.write_str(&url(bucket, key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_file_an_object_or_the_standard_output() {
        let object = Place::Object { bucket: "b".to_owned(), key: "k/1.ndjson.zst".to_owned() };
        for (text, place, is_compressed) in [
            ("-", Place::Stdout, false),
            ("a/b.ndjson", Place::Local("a/b.ndjson".into()), false),
            ("b.zst", Place::Local("b.zst".into()), true),
            ("s3://b/k/1.ndjson.zst", object, true),
        ] {
            assert_eq!(target(text).as_ref(), Ok(&place), "{text}");
            assert_eq!(place.is_compressed(), is_compressed, "{text}");
            if text != "-" {
                assert_eq!(place.to_string(), text);
            }
        }
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        for wrong in ["", "/", "..", "s3://", "s3://b", "s3://b/", "s3:///k", "s3://b/folder/"] {
            assert!(target(wrong).is_err(), "{wrong}");
        }
        assert!(source("-").is_err());
    }
}
