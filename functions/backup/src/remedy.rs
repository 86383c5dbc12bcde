//! What to do about an error.
//!
//! Our own errors say it themselves. S3, PostgreSQL and its programs say what failed, and an operator who is
//! called at night needs the next step, too. What they say is the only thing that all of their errors have in
//! common, so it is recognised by its words: codes of AWS, and messages that PostgreSQL has had for decades.

use anyhow::{Error, anyhow};
use causes::with_causes;

/// Words of errors, and what to do: the first that fits.
const REMEDIES: [(&[&str], &str); 16] = [
    (
        &["KMS.", "kms:"],
        "S3 may not use the key of KMS: is it the right one, is it enabled, and may this identity use it? It needs \
         kms:GenerateDataKey and kms:Decrypt to write, and kms:Decrypt to read",
    ),
    (
        &["AccessDenied", "AllAccessDisabled"],
        "Give this identity the rights that docs/backups.md lists for the command, and look at the policies of the \
         bucket and of its key",
    ),
    (
        &[
            "InvalidAccessKeyId",
            "SignatureDoesNotMatch",
            "ExpiredToken",
            "InvalidToken",
            "UnrecognizedClient",
            "credentials",
        ],
        "Look at the credentials of AWS: they are missing, wrong or expired",
    ),
    (&["NoSuchBucket"], "Make the bucket, or correct BACKUP_LOCATION"),
    (
        &["NoSuchKey", "was altered", "truncated", "ends after", "has not"],
        "Choose another backup. Versions of the object, if the bucket has them, and CloudTrail show who changed it",
    ),
    (
        &["PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraint"],
        "The bucket is of another region: set AWS_REGION",
    ),
    (&["would be larger than"], "Set a larger BACKUP_PART_MIB"),
    (
        &["No space left on device", "could not extend file", "could not write to file"],
        "The disk of the PostgreSQL server is full: give it more, or take another server",
    ),
    (&["lock timeout"], "Another session holds a lock, such as a migration: run it again after it"),
    (
        &["permission denied", "must be owner", "must be member", "must be superuser"],
        "Log in as the user that docs/backups.md names for the command",
    ),
    (
        &["connecting to PostgreSQL"],
        "Look at the URL, its password and TLS, and whether the server answers",
    ),
    (
        &["DynamoDB"],
        "Look at HISTORY_TABLE and AWS_REGION; this identity needs dynamodb:Query. Without --history-sample no history \
         is read",
    ),
    (
        &["Redis does not answer"],
        "Run FLUSHDB in that Redis before the functions are started: it may have later versions of tasks",
    ),
    (
        &["pg_dump:", "pg_restore:", "error returned from database", "communicating with database"],
        "The log of PostgreSQL may say more. Run it again when the cause is gone",
    ),
    (
        &[
            "InternalError",
            "ServiceUnavailable",
            "SlowDown",
            "io error",
            "timed out",
            "deadline has elapsed",
        ],
        "Look at the network, AWS_REGION and AWS_ENDPOINT_URL, and run it again",
    ),
    (&["interrupted by", "is there already", "wrote nothing", "read nothing"], "Run it again"),
];

/// The error, and what to do about it.
pub(crate) fn added(error: Error) -> Error {
    let text = with_causes(error.as_ref());
    match of(&text) {
        Some(remedy) => anyhow!("{text}. {remedy}"),
        None => error,
    }
}

fn of(text: &str) -> Option<&'static str> {
    let fits = |words: &&(&[&str], &str)| words.0.iter().any(|word| text.contains(word));
    REMEDIES.iter().find(fits).map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_decides_and_not_what_surrounds_it() {
        for (text, expected) in [
            ("writing s3://b/k: KMS.NotFoundException: no such key", "is it the right one"),
            (
                "writing s3://b/k: AccessDenied: not authorized to perform: kms:GenerateDataKey on it",
                "is it the right one",
            ),
            ("writing s3://b/k: AccessDenied: no", "docs/backups.md"),
            ("listing s3://b/: NoSuchBucket: none", "BACKUP_LOCATION"),
            (
                "the backup x was not verified: s3://b/k was altered: its SHA-256 is 1",
                "another backup",
            ),
            (
                "pg_restore: error: COPY failed for table \"tasks\": ERROR:  could not extend file \"base/1/2\": \
                 No space left on device",
                "disk",
            ),
            ("pg_dump: error: canceling statement due to lock timeout", "lock"),
            ("pg_restore: error: permission denied for schema public", "Log in as"),
            ("connecting to PostgreSQL: connection refused", "the URL"),
            (
                "reading the history in the table t: DynamoDB is not available: x",
                "--history-sample",
            ),
            ("listing s3://b/: io error: connection refused", "AWS_ENDPOINT_URL"),
            ("interrupted by SIGTERM. Nothing was left in S3", "Run it again"),
        ] {
            assert!(
                of(text).is_some_and(|remedy| remedy.contains(expected)),
                "{text}: {:?}",
                of(text)
            );
        }
    }

    #[test]
    fn what_says_it_itself_stays() {
        for text in [
            "s3://b/ has no backup 1: see `backup list`",
            "pg_dump of PostgreSQL 17 is needed, and none was found: install postgresql-client-17",
            "task_app holds 1 tasks",
        ] {
            assert_eq!(added(anyhow!(text)).to_string(), text);
        }
    }
}
