//! Where messages are before they are deleted.
//!
//! A file grows, and each round is on the disk before its messages are deleted. An S3 object cannot grow, so
//! each round is an object of its own, and whole: the first one has the name that was given, and the next
//! ones have a number in it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use aws_sdk_s3::Client;

use crate::file::{Header, Place, Record, Writer};

/// How long a round waits for more messages. A file is made durable often; an object is to be large.
const SHORT_WAIT: Duration = Duration::from_millis(20);
const LONG_WAIT: Duration = Duration::from_secs(2);

pub(super) struct Archive {
    /// Nowhere if messages are deleted for good.
    place: Option<Place>,
    s3: Client,
    overwrite: bool,
    header: Header,
    writer: Option<Writer>,
    /// What is whole.
    finished: Vec<String>,
}

impl Archive {
    pub(super) async fn begin(
        place: Option<Place>,
        s3: Client,
        overwrite: bool,
        header: Header,
    ) -> Result<Self> {
        let mut archive = Self { place, s3, overwrite, header, writer: None, finished: Vec::new() };
        // Now, since it may be there already.
        archive.open().await?;
        Ok(archive)
    }

    /// How long a round waits for more messages.
    pub(super) fn wait(&self) -> Duration {
        match self.place {
            Some(Place::Object { .. }) => LONG_WAIT,
            _ => SHORT_WAIT,
        }
    }

    pub(super) async fn add(&mut self, record: Record) -> Result<()> {
        self.open().await?;
        match &mut self.writer {
            Some(writer) => writer.add(record).await,
            None => Ok(()),
        }
    }

    /// Makes everything durable that was added.
    pub(super) async fn commit(&mut self) -> Result<()> {
        match (&self.place, &mut self.writer) {
            (Some(Place::Object { .. }), Some(_)) => self.close(None).await,
            (_, Some(writer)) => writer.sync().await,
            (_, None) => Ok(()),
        }
    }

    /// Ends it; returns where the messages are.
    ///
    /// # Errors
    /// When it cannot be whole. What was deleted is there nevertheless.
    pub(super) async fn finish(mut self, complete: bool) -> Result<Vec<String>> {
        let partial = self.writer.as_ref().and_then(Writer::partial);
        // One of several does not know of the others.
        let complete = self.finished.is_empty().then_some(complete);
        let closed = self.close(complete).await;
        let or_partial = || partial.map(|path| format!("what was deleted is in {path}"));
        match or_partial() {
            Some(place) => closed.context(place)?,
            None => closed?,
        }
        Ok(self.finished)
    }

    /// Ends it after a failure. Messages that were not deleted are in no object of their own.
    pub(super) async fn abandon(mut self) -> Result<Vec<String>> {
        if !matches!(self.place, Some(Place::Object { .. })) {
            return self.finish(false).await;
        }
        if let Some(writer) = self.writer.take() {
            writer.discard().await?;
        }
        Ok(self.finished)
    }

    async fn open(&mut self) -> Result<()> {
        if let (Some(place), None) = (self.current(), &self.writer) {
            let header = self.header.clone();
            self.writer = Some(Writer::begin(&place, &self.s3, self.overwrite, header).await?);
        }
        Ok(())
    }

    async fn close(&mut self, complete: Option<bool>) -> Result<()> {
        if let (Some(place), Some(writer)) = (self.current(), self.writer.take()) {
            writer.finish(complete).await?;
            self.finished.push(place.to_string());
        }
        Ok(())
    }

    /// The place of what is written at the moment.
    fn current(&self) -> Option<Place> {
        match (&self.place, self.finished.len()) {
            (Some(Place::Object { bucket, key }), before @ 1..) => {
                Some(Place::Object { bucket: bucket.clone(), key: numbered(key, before + 1) })
            }
            (place, _) => place.clone(),
        }
    }
}

/// A key with a number before the endings of its name.
fn numbered(key: &str, number: usize) -> String {
    let name = key.rfind('/').map_or(0, |slash| slash + 1);
    let dot = key.get(name..).and_then(|name| name.find('.')).map_or(key.len(), |dot| name + dot);
    let (stem, endings) = key.split_at_checked(dot).unwrap_or((key, ""));
    format!("{stem}.{number:06}{endings}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_objects_have_a_number_in_their_names() {
        for (key, expected) in [
            ("a.b/orders.ndjson.zst", "a.b/orders.000002.ndjson.zst"),
            ("orders", "orders.000002"),
            ("a.b/orders", "a.b/orders.000002"),
        ] {
            assert_eq!(numbered(key, 2), expected);
        }
    }
}
