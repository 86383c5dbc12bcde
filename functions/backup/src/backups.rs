//! The backups that are there.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};
use archives::url;
use aws_config::BehaviorVersion;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::location::{Id, Location};
use crate::manifest::{FORMAT, Manifest, Verification};

/// Bytes of a manifest that are read.
const MOST_BYTES: i64 = 4 << 20;
/// Pages of a thousand objects that are listed.
const MOST_PAGES: usize = 1_000;
/// The condition that nothing has the key yet.
const NOTHING: &str = "*";

/// A place of backups, and who reads and writes there.
#[derive(Clone)]
pub(crate) struct Backups {
    pub(crate) client: Client,
    pub(crate) location: Location,
}

/// What there is of one backup.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: Id,
    /// Its objects.
    pub(crate) keys: Vec<String>,
    /// `None`: the dump is not whole.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) verification: Option<Verification>,
}

impl Found {
    /// Whether it is whole, and nothing is known against it.
    pub(crate) fn is_good(&self) -> bool {
        let has_failed = |verified: &Verification| !verified.problems.is_empty();
        self.manifest.is_some() && !self.verification.as_ref().is_some_and(has_failed)
    }

    /// Whether it was restored well.
    pub(crate) fn is_verified(&self) -> bool {
        self.is_good() && self.verification.is_some()
    }
}

impl Backups {
    /// With the credentials of the environment.
    pub(crate) async fn connect(location: &Location) -> Self {
        let aws = aws_config::defaults(BehaviorVersion::latest()).load().await;
        Self { client: archives::client(&aws), location: location.clone() }
    }

    /// Every backup, the oldest first, and what is left of those that are not whole.
    pub(crate) async fn list(&self) -> Result<Vec<Found>> {
        let mut found: BTreeMap<Id, Vec<String>> = BTreeMap::new();
        let mut next = None;
        for _ in 0..MOST_PAGES {
            let request = self.client.list_objects_v2().bucket(&self.location.bucket);
            let request = request.prefix(&self.location.prefix).set_continuation_token(next);
            let page =
                request.send().await.with_context(|| format!("listing {}", self.location))?;
            for object in page.contents() {
                let Some(id) = object.key().and_then(|key| self.location.id_of(key)) else {
                    continue;
                };
                found.entry(id).or_default().extend(object.key().map(str::to_owned));
            }
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return self.read_all(found).await;
            }
        }
        bail!(
            "{} has more than {MOST_PAGES} pages of objects: run `backup prune`, or choose another prefix",
            self.location
        )
    }

    async fn read_all(&self, found: BTreeMap<Id, Vec<String>>) -> Result<Vec<Found>> {
        let mut backups = Vec::new();
        for (id, keys) in found {
            let mut backup = Found { id, keys, manifest: None, verification: None };
            let (manifest, verification) =
                (self.location.manifest(&backup.id), self.location.verification(&backup.id));
            if backup.keys.contains(&manifest) {
                backup.manifest = self.read_manifest(&backup.id).await?;
            }
            if backup.keys.contains(&verification) {
                backup.verification = self.read(&verification).await?;
            }
            backups.push(backup);
        }
        Ok(backups)
    }

    /// The manifest of a backup.
    ///
    /// # Errors
    /// When there is none, or a later version of this tool wrote it.
    pub(crate) async fn manifest(&self, id: &Id) -> Result<Manifest> {
        let manifest = self.read_manifest(id).await?;
        manifest.with_context(|| format!("{} has no backup {id}: see `backup list`", self.location))
    }

    async fn read_manifest(&self, id: &Id) -> Result<Option<Manifest>> {
        let manifest: Option<Manifest> = self.read(&self.location.manifest(id)).await?;
        if let Some(Manifest { format, made_by, .. }) = &manifest {
            ensure!(
                *format <= FORMAT,
                "task-app {made_by} wrote {id}: use that version, or a later one"
            );
        }
        Ok(manifest)
    }

    async fn read<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        let name = url(&self.location.bucket, key);
        let request = self.client.get_object().bucket(&self.location.bucket).key(key);
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {name}")),
        };
        let length = object.content_length().unwrap_or(i64::MAX);
        ensure!(
            length <= MOST_BYTES,
            "{name} has {length} bytes, so it is none of ours: remove it"
        );
        let body = object.body.collect().await.with_context(|| format!("reading {name}"))?;
        let read = serde_json::from_slice(&body.into_bytes());
        read.map(Some).with_context(|| format!("{name} is none of ours: remove it"))
    }

    /// Writes the manifest, which makes a backup appear. It is never replaced.
    pub(crate) async fn write_manifest(&self, id: &Id, manifest: &Manifest) -> Result<()> {
        self.write(&self.location.manifest(id), manifest, Some(NOTHING)).await
    }

    /// Writes how a verification ended, in place of the last one.
    pub(crate) async fn write_verification(&self, id: &Id, outcome: &Verification) -> Result<()> {
        self.write(&self.location.verification(id), outcome, None).await
    }

    async fn write(
        &self,
        key: &str,
        value: &impl Serialize,
        condition: Option<&str>,
    ) -> Result<()> {
        let put = self.client.put_object().bucket(&self.location.bucket).key(key);
        let put =
            put.content_type("application/json").set_if_none_match(condition.map(str::to_owned));
        let put = put.body(ByteStream::from(serde_json::to_vec_pretty(value)?)).send().await;
        put.map(drop).with_context(|| format!("writing {}", url(&self.location.bucket, key)))
    }
}
