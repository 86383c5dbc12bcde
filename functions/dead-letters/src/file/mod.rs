//! Dead letters in a file or in an S3 object: what `export` writes and `import` reads.
//!
//! NDJSON, compressed by zstd if the name ends in `.zst`. Each line is an object whose `kind` says what it
//! is: first a `header`, then a `message` each, at last a `trailer` with their count and digest. A file
//! without a trailer is not whole.

mod format;
mod local;
mod object;
mod place;
mod reader;
mod source;
mod writer;

pub(crate) use archives::client as s3;
pub(crate) use format::{Header, Line, Record, Trailer};
pub(crate) use place::{Place, source, target};
pub(crate) use reader::{Next, Reader};
pub(crate) use source::Source;
pub(crate) use writer::{Writer, Written};

use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectError;

/// Why an object cannot be looked at. The answer to such a request has no words.
fn unseen(name: &str, error: SdkError<HeadObjectError>) -> anyhow::Error {
    let status = error.raw_response().map(|response| response.status().as_u16());
    let why = match status {
        Some(301 | 400) => "its bucket may be of another region: set `AWS_REGION`",
        Some(403) => "S3 denies access",
        Some(404) => "there is no such object",
        _ => "S3 does not answer as expected",
    };
    anyhow::Error::new(error).context(format!("looking at {name}: {why}"))
}

#[cfg(test)]
mod tests;
