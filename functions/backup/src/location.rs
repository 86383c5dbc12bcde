//! Where backups are, and the names of a backup's objects.
//!
//! `s3://BUCKET/PREFIX/ID/`, with the dump, the manifest that appears when the dump is whole, and the
//! outcome of the last verification. An identifier begins with its time, so that S3 lists the oldest first.

use std::fmt::{Display, Formatter, Result as Formatted};

use archives::{parse_url, url};
use chrono::{DateTime, NaiveDateTime, Utc};
use uuid::Uuid;

const TIME: &str = "%Y%m%dT%H%M%SZ";
const DUMP: &str = "database.dump.zst";
const MANIFEST: &str = "manifest.json";
const VERIFICATION: &str = "verification.json";

/// A place for backups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) bucket: String,
    /// Empty, or it ends in a slash.
    pub(crate) prefix: String,
}

/// Which backup.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id {
    text: String,
    time: DateTime<Utc>,
}

impl Location {
    /// Reads `s3://BUCKET/PREFIX`, or `s3://BUCKET`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (bucket, prefix) = parse_url(text).ok_or("`s3://BUCKET/PREFIX` is expected")?;
        if bucket.is_empty() {
            return Err("a bucket is expected, as in `s3://bucket/backups`".to_owned());
        }
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }

    pub(crate) fn dump(&self, id: &Id) -> String {
        format!("{}{id}/{DUMP}", self.prefix)
    }

    pub(crate) fn manifest(&self, id: &Id) -> String {
        format!("{}{id}/{MANIFEST}", self.prefix)
    }

    pub(crate) fn verification(&self, id: &Id) -> String {
        format!("{}{id}/{VERIFICATION}", self.prefix)
    }

    /// The backup that a key belongs to, if it is one of ours.
    pub(crate) fn id_of(&self, key: &str) -> Option<Id> {
        let (id, name) = key.strip_prefix(&self.prefix)?.split_once('/')?;
        [DUMP, MANIFEST, VERIFICATION].contains(&name).then(|| Id::parse(id).ok())?
    }
}

impl Display for Location {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Formatted {
        formatter.write_str(&url(&self.bucket, &self.prefix))
    }
}

impl Id {
    /// A new one: two dumps of the same second differ.
    pub(crate) fn new(now: DateTime<Utc>) -> Self {
        let random = Uuid::new_v4().simple().to_string();
        let text = format!("{}-{}", now.format(TIME), random.get(..8).unwrap_or_default());
        Self { text, time: now }
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (time, random) = text.split_once('-').unwrap_or_default();
        let is_random = random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        match NaiveDateTime::parse_from_str(time, TIME) {
            Ok(time) if is_random => Ok(Self { text: text.to_owned(), time: time.and_utc() }),
            _ => Err("an identifier as `backup list` prints it is expected".to_owned()),
        }
    }

    /// When it was begun.
    pub(crate) fn time(&self) -> DateTime<Utc> {
        self.time
    }
}

impl Display for Id {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> Formatted {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_a_bucket_with_or_without_a_prefix() {
        for (text, bucket, prefix) in
            [("s3://b", "b", ""), ("s3://b/", "b", ""), ("s3://b/x/y/", "b", "x/y/")]
        {
            let expected = Location { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(Location::parse(text), Ok(expected), "{text}");
        }
        for wrong in ["", "b/x", "s3://", "s3:///x", "/tmp"] {
            assert!(Location::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_identifier_has_its_time_and_is_found_in_keys() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let id = Id::new(now);
        assert_eq!(id.time(), now);
        assert_eq!(Id::parse(&id.to_string()), Ok(id.clone()));
        let location = Location::parse("s3://b/x").unwrap();
        for key in [location.dump(&id), location.manifest(&id), location.verification(&id)] {
            assert_eq!(location.id_of(&key), Some(id.clone()), "{key}");
        }
        for foreign in ["y/1/manifest.json", "x/notes.txt", "x/1/manifest.json"] {
            assert_eq!(location.id_of(foreign), None, "{foreign}");
        }
        for wrong in ["", "20260101T000000Z", "20260101T000000Z-xyz", "../secret-12345678"] {
            assert!(Id::parse(wrong).is_err(), "{wrong}");
        }
    }
}
