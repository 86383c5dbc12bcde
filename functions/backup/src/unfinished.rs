//! Uploads that never ended, as of a dump that was killed: their parts are invisible, and paid for.

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};

use crate::backups::Backups;

/// Pages of a thousand uploads.
const MOST_PAGES: usize = 100;

impl Backups {
    /// The key and the id of each upload that began before a time, or in its second.
    pub(crate) async fn unfinished_uploads(
        &self,
        before: DateTime<Utc>,
    ) -> Result<Vec<(String, String)>> {
        let (mut found, mut key, mut id) = (Vec::new(), None, None);
        for _ in 0..MOST_PAGES {
            let request = self.client.list_multipart_uploads().bucket(&self.location.bucket);
            let request = request.prefix(&self.location.prefix);
            let page = request.set_key_marker(key).set_upload_id_marker(id).send().await;
            let page = page.context("listing unfinished uploads")?;
            for upload in page.uploads() {
                let begun = upload.initiated().map_or(0, aws_sdk_s3::primitives::DateTime::secs);
                if let (Some(key), Some(id)) = (upload.key(), upload.upload_id())
                    && begun <= before.timestamp()
                    && self.location.id_of(key).is_some()
                {
                    found.push((key.to_owned(), id.to_owned()));
                }
            }
            if page.is_truncated() != Some(true) {
                return Ok(found);
            }
            (key, id) = (page.next_key_marker, page.next_upload_id_marker);
        }
        bail!(
            "there are more than {MOST_PAGES} pages of unfinished uploads: set a lifecycle rule that aborts them"
        )
    }

    /// Ends one, which removes its parts.
    pub(crate) async fn abort(&self, key: &str, id: &str) -> Result<()> {
        let abort = self.client.abort_multipart_upload().bucket(&self.location.bucket);
        let aborted = abort.key(key).upload_id(id).send().await;
        aborted.map(drop).with_context(|| format!("removing the parts of {key}"))
    }
}
