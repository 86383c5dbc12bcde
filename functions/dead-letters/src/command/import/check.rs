//! The first reading: whether a file is whole, and whether all of it fits.

use anyhow::Result;

use super::outgoing::Outgoing;
use crate::file::{Header, Next, Reader, Source};
use crate::output;
use crate::queue::Queue;

/// Messages that do not fit and are named.
const MOST_NAMED: u64 = 10;

/// What is known of a file.
pub(super) struct Checked {
    pub(super) header: Header,
    pub(super) messages: u64,
    pub(super) sha256: String,
    pub(super) complete: Option<bool>,
    pub(super) is_partial: bool,
    /// Messages that the queue would not take.
    pub(super) unfit: u64,
    pub(super) without_source: u64,
}

/// Reads all of a file.
///
/// # Errors
/// When it is not whole, or was changed. What does not fit is named in notes.
pub(super) async fn check(
    source: &mut Source,
    queue: &Queue,
    allow_partial: bool,
) -> Result<Checked> {
    let name = source.name().to_owned();
    let mut reader = Reader::begin(source, allow_partial).await?;
    let (mut unfit, mut without_source) = (0, 0);
    loop {
        match reader.next().await? {
            Next::Message(line, record) => match Outgoing::new(*record, line, queue, "") {
                Ok(outgoing) => without_source += u64::from(outgoing.lacks_source),
                Err(why) => {
                    unfit += 1;
                    if unfit <= MOST_NAMED {
                        output::note(&format!("{name}, line {line}: {why}"));
                    }
                }
            },
            Next::End(end) => {
                if end.trailer.is_none() {
                    output::note(&format!("{name} is not whole: {} messages are", end.messages));
                }
                return Ok(Checked {
                    header: reader.header.clone(),
                    messages: end.messages,
                    sha256: end.sha256,
                    complete: end.trailer.as_ref().and_then(|trailer| trailer.complete),
                    is_partial: end.trailer.is_none(),
                    unfit,
                    without_source,
                });
            }
        }
    }
}
