//! Reads a file, a line at a time, and believes nothing that it says of itself.

use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::digest::{Context as Digest, SHA256};

use super::format::{FORMAT, Header, Line, Record, VERSION};
use super::{Source, Trailer};
use archives::Decompressor;

/// The longest line: of a message of 1 MiB, each character escaped, with its attributes.
const LONGEST_LINE: usize = 8 << 20;

/// A file, at the beginning of a line.
pub(crate) struct Reader<'a> {
    source: &'a mut Source,
    /// Whether a file without its end is read, too.
    allow_partial: bool,
    decompressor: Decompressor,
    block: Vec<u8>,
    /// Bytes of the block that were taken.
    taken: usize,
    /// What was read and is of no line yet, from `begin` on.
    buffer: Vec<u8>,
    begin: usize,
    /// Where no line break was found before.
    searched: usize,
    digest: Digest,
    lines: u64,
    messages: u64,
    pub(crate) header: Header,
}

/// The next thing in a file.
pub(crate) enum Next {
    /// A message, and the number of its line.
    Message(u64, Box<Record>),
    End(End),
}

/// The end of a file, checked.
pub(crate) struct End {
    /// None of a file that is not whole.
    pub(crate) trailer: Option<Trailer>,
    /// Of all lines but the trailer.
    pub(crate) sha256: String,
    pub(crate) messages: u64,
}

impl<'a> Reader<'a> {
    /// Begins at the first line, which must be a header.
    pub(crate) async fn begin(source: &'a mut Source, allow_partial: bool) -> anyhow::Result<Self> {
        source.rewind()?;
        let block = source.block().await?;
        let decompressor = Decompressor::of(&block)?;
        let (buffer, digest) = (Vec::new(), Digest::new(&SHA256));
        let header = Header::new("", chrono::DateTime::UNIX_EPOCH, Vec::new());
        let mut reader = Self {
            source,
            allow_partial,
            decompressor,
            block,
            taken: 0,
            buffer,
            begin: 0,
            searched: 0,
            digest,
            lines: 0,
            messages: 0,
            header,
        };
        let first = reader.line().await?;
        let name = reader.source.name();
        let header = first.as_deref().and_then(|line| serde_json::from_slice(line).ok());
        match header {
            Some(Line::Header(header)) if header.format == FORMAT => {
                let version = header.version;
                ensure!(
                    version == VERSION,
                    "{name} is of version {version} of the format; this tool reads {VERSION}"
                );
                reader.digest.update(first.as_deref().unwrap_or_default());
                reader.header = header;
                Ok(reader)
            }
            _ => bail!(
                "{name} was not written by `dead-letters export`: its first line is no header"
            ),
        }
    }

    /// The next message, or the end, which must be the trailer that the messages have.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Next> {
        let Some(bytes) = self.line().await? else { return self.without_trailer() };
        let line = serde_json::from_slice(&bytes).with_context(|| self.place())?;
        match line {
            Line::Message(record) => {
                self.digest.update(&bytes);
                self.messages += 1;
                Ok(Next::Message(self.lines, record))
            }
            Line::Trailer(trailer) => self.end(trailer).await.map(Next::End),
            Line::Header(_) => bail!("{}: a second header", self.place()),
        }
    }

    async fn end(&mut self, trailer: Trailer) -> anyhow::Result<End> {
        let (sha256, messages, place) = (self.sha256(), self.messages, self.place());
        ensure!(
            trailer.messages == messages,
            "{place}: the trailer says that there are {} messages; there are {messages}",
            trailer.messages
        );
        ensure!(trailer.sha256 == sha256, "{place}: the digest is {sha256}: the file was changed");
        ensure!(self.line().await?.is_none(), "{}: it is behind the trailer", self.place());
        Ok(End { trailer: Some(trailer), sha256, messages })
    }

    fn without_trailer(&self) -> anyhow::Result<Next> {
        ensure!(
            self.allow_partial,
            "{}: the file ends without its trailer, so it is not whole. `--allow-partial` takes the \
             {} messages that are",
            self.place(),
            self.messages
        );
        Ok(Next::End(End { trailer: None, sha256: self.sha256(), messages: self.messages }))
    }

    fn sha256(&self) -> String {
        hex::encode(self.digest.clone().finish().as_ref())
    }

    /// The next line, with its line break.
    async fn line(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        loop {
            let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(position) = unsearched.iter().position(|byte| *byte == b'\n') {
                let end = self.searched + position + 1;
                let line = self.buffer.get(self.begin..end).unwrap_or_default().to_vec();
                (self.begin, self.searched) = (end, end);
                self.lines += 1;
                return Ok(Some(line));
            }
            self.buffer.drain(..self.begin);
            (self.begin, self.searched) = (0, self.buffer.len());
            if self.searched > LONGEST_LINE {
                bail!("{}: the next line has more than {LONGEST_LINE} bytes", self.place());
            }
            if !self.more().await? {
                // Of a run that was killed it may be the beginning of a line.
                let is_cut = self.searched > 0 || !self.decompressor.is_at_end();
                ensure!(
                    !is_cut || self.allow_partial,
                    "{}: it is cut within the next line",
                    self.place()
                );
                return Ok(None);
            }
        }
    }

    /// Reads on; not at the end.
    async fn more(&mut self) -> anyhow::Result<bool> {
        if self.taken >= self.block.len() && !self.decompressor.has_more() {
            self.block = self.source.block().await?;
            self.taken = 0;
            if self.block.is_empty() {
                return Ok(false);
            }
        }
        let bytes = self.block.get(self.taken..).unwrap_or_default();
        let step = self.decompressor.step(bytes, &mut self.buffer);
        self.taken += step.with_context(|| self.place())?;
        Ok(true)
    }

    fn place(&self) -> String {
        format!("{}, line {}", self.source.name(), self.lines)
    }
}
