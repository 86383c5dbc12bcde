//! The ledger in files of this machine: of each run `RUN.json`, and its messages in `RUN.messages`.
//!
//! A line is a message, and the last line of a message counts. A line that was not ended when the machine
//! stopped was not acted upon. The file of messages is locked by the process that works on the run.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use records::replays::{Claim, Message, Run};
use tokio::task::spawn_blocking;

/// The longest line of a message, in bytes.
const LONGEST_LINE: u64 = 64 * 1_024;

pub(crate) struct Journal {
    folder: PathBuf,
    open: Mutex<Option<Open>>,
}

/// The messages of the run that this process works on.
struct Open {
    file: File,
    length: u64,
    /// Where the last line of each message begins.
    places: HashMap<String, u64>,
}

impl Journal {
    pub(super) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder, open: Mutex::default() })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn begin(&self, run: &Run) -> anyhow::Result<()> {
        *self.lock() = Some(Open::new(&self.file(&run.run, "messages"))?);
        self.write(run)
    }

    pub(super) fn take_over(&self, id: &str) -> anyhow::Result<Run> {
        if self.run(id)?.is_none() {
            bail!("{} has no run {id}. `dead-letters runs` lists them", self.folder.display())
        }
        *self.lock() = Some(Open::new(&self.file(id, "messages"))?);
        // As its last holder left it.
        self.run(id)?.context("the run was removed meanwhile")
    }

    /// Replaces what is known of a run.
    pub(super) fn write(&self, run: &Run) -> anyhow::Result<()> {
        let (path, new) = (self.file(&run.run, "json"), self.file(&run.run, "new"));
        let write = || {
            let mut file = File::create(&new)?;
            file.write_all(serde_json::to_string(run)?.as_bytes())?;
            file.sync_data()?;
            fs::rename(&new, &path)
        };
        write().with_context(|| format!("writing {}", path.display()))
    }

    pub(super) fn run(&self, id: &str) -> anyhow::Result<Option<Run>> {
        let path = self.file(id, "json");
        match fs::read(&path) {
            Ok(run) => {
                let run = serde_json::from_slice(&run);
                run.map(Some).with_context(|| format!("reading {}", path.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    pub(super) fn runs(&self, limit: usize) -> anyhow::Result<Vec<Run>> {
        let mut ids = self.ids()?;
        ids.sort_by(|one, other| other.cmp(one));
        ids.truncate(limit);
        ids.iter().filter_map(|id| self.run(id).transpose()).collect()
    }

    pub(super) async fn claim(&self, messages: &[Message]) -> anyhow::Result<Vec<Claim>> {
        let (claims, file) = self.append_new(messages)?;
        // What was sent must be known, even if the machine stops. Other batches go on meanwhile.
        spawn_blocking(move || file.sync_data()).await?.context("writing the journal")?;
        Ok(claims)
    }

    fn append_new(&self, messages: &[Message]) -> anyhow::Result<(Vec<Claim>, File)> {
        let mut open = self.lock();
        let open = open.as_mut().context("no run is open")?;
        let claims = messages.iter().map(|message| open.known(&message.message_id));
        let claims = claims.collect::<anyhow::Result<Vec<_>>>()?;
        let unknown = messages.iter().zip(&claims).filter(|(_, claim)| **claim == Claim::New);
        open.append(unknown.map(|(message, _)| message))?;
        Ok((claims, open.file.try_clone()?))
    }

    pub(super) fn record(&self, messages: &[Message]) -> anyhow::Result<()> {
        self.lock().as_mut().context("no run is open")?.append(messages.iter())
    }

    pub(super) fn messages(
        &self,
        run: &str,
        mut see: impl FnMut(Message) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let path = self.file(run, "messages");
        let mut file = BufReader::new(File::open(&path)?);
        let mut places = HashMap::new();
        each_line(&mut file, |place, message| {
            places.insert(message.message_id, place);
        })?;
        let mut places: Vec<_> = places.into_values().collect();
        places.sort_unstable();
        places.into_iter().try_for_each(|place| see(read_at(file.get_mut(), place)?))
    }

    pub(super) fn sent_as(&self, sent_id: &str) -> anyhow::Result<Option<(String, Message)>> {
        for run in self.ids()? {
            let mut found = None;
            let mut file = BufReader::new(File::open(self.file(&run, "messages"))?);
            each_line(&mut file, |_, message| {
                if message.sent_id.as_deref() == Some(sent_id) {
                    found = Some(message);
                }
            })?;
            if let Some(message) = found {
                return Ok(Some((run, message)));
            }
        }
        Ok(None)
    }

    fn ids(&self) -> anyhow::Result<Vec<String>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            ids.extend(
                name.to_str().and_then(|name| name.strip_suffix(".json")).map(str::to_owned),
            );
        }
        Ok(ids)
    }

    fn file(&self, run: &str, kind: &str) -> PathBuf {
        self.folder.join(format!("{run}.{kind}"))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn new(path: &Path) -> anyhow::Result<Self> {
        let options = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = options.with_context(|| format!("opening {}", path.display()))?;
        if file.try_lock().is_err() {
            bail!("another process works on this run: {} is locked", path.display());
        }
        let mut places = HashMap::new();
        let length = each_line(&mut BufReader::new(&file), |place, message| {
            places.insert(message.message_id, place);
        })?;
        file.set_len(length)?;
        Ok(Self { file, length, places })
    }

    fn known(&mut self, id: &str) -> anyhow::Result<Claim> {
        let Some(place) = self.places.get(id) else { return Ok(Claim::New) };
        Ok(Claim::Known(Box::new(read_at(&mut self.file, *place)?)))
    }

    fn append<'a>(&mut self, messages: impl Iterator<Item = &'a Message>) -> anyhow::Result<()> {
        let (mut lines, mut places) = (String::new(), Vec::new());
        for message in messages {
            places.push((message.message_id.clone(), self.length + lines.len() as u64));
            lines.push_str(&serde_json::to_string(message)?);
            lines.push('\n');
        }
        self.file.write_all(lines.as_bytes()).context("writing the journal")?;
        self.length += lines.len() as u64;
        self.places.extend(places);
        Ok(())
    }
}

/// Shows each message with its place, and returns the length of all whole lines.
fn each_line(
    file: &mut BufReader<impl std::io::Read>,
    mut see: impl FnMut(u64, Message),
) -> anyhow::Result<u64> {
    let (mut place, mut line) = (0, Vec::new());
    loop {
        line.clear();
        file.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") {
            return Ok(place);
        }
        see(place, serde_json::from_slice(&line).context("a line of the journal is no message")?);
        place += line.len() as u64;
    }
}

fn read_at(file: &mut File, place: u64) -> anyhow::Result<Message> {
    file.seek(SeekFrom::Start(place))?;
    let mut line = String::new();
    BufReader::new(file).take(LONGEST_LINE).read_line(&mut line)?;
    serde_json::from_str(&line).context("a line of the journal is no message")
}
