//! `dead-letters import`: what was exported, back into a dead-letter queue.
//!
//! Everything is read twice: first to check it, so that nothing is sent of what is not whole or does not
//! fit, and then to send it.

mod check;
mod outgoing;
mod send;

use std::num::NonZeroU64;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::arguments::ImportArguments;
use crate::file::{Source, s3};
use crate::output::{self, Progress, printable};
use crate::queue::{Interrupt, Queue, name_of, target};
use check::{Checked, check};
use send::{End, send};

/// What `import --json` prints.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    queue: &'a str,
    files: Vec<FileReport>,
    /// Messages of all files.
    messages: u64,
    sent: u64,
    /// Messages that SQS had moved, and that have no room for the name of their source.
    without_source: u64,
    dry_run: bool,
    /// Where another import is to begin, if this one did not come to the end.
    resume: Option<Resume>,
}

#[derive(Serialize, JsonSchema)]
struct FileReport {
    file: String,
    messages: u64,
    sent: u64,
    sha256: String,
    /// The ARN of the queue that they were read from.
    queue: String,
    exported_at: chrono::DateTime<chrono::Utc>,
    complete: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Resume {
    file: String,
    line: u64,
    /// Messages behind that line that were sent already: a standard queue would have them twice.
    sent_behind: u64,
}

pub(super) async fn run(context: &Context, arguments: &ImportArguments) -> Result<()> {
    let queue = target(&context.client, &arguments.queue).await?;
    if let Some(redrive) = &queue.redrive {
        let target = name_of(&redrive.dead_letter_target_arn);
        bail!(
            "{} is no dead-letter queue: it has a redrive policy. Import into its dead-letter queue, \
             {target}, and replay from there",
            queue.name
        );
    }
    let mut interrupt = Interrupt::listen()?;
    let from_line = arguments.from_line.map_or(1, NonZeroU64::get);
    let client = s3(&context.aws);
    let mut sources = Vec::new();
    for place in &arguments.files {
        let mut source = Source::open(place, &client).await?;
        let checking = check(&mut source, &queue, arguments.allow_partial);
        let checked = tokio::select! {
            checked = checking => checked?,
            () = interrupt.wait() => bail!("interrupted: nothing was sent"),
        };
        sources.push((source, checked));
    }
    let unfit: u64 = sources.iter().map(|(_, checked)| checked.unfit).sum();
    if unfit > 0 {
        bail!("{unfit} messages do not fit into {}; nothing was sent", queue.name);
    }
    let mut report = Report::new(&queue, &sources, arguments.dry_run);
    let mut ended = None;
    if !arguments.dry_run {
        let progress = Progress::moving(report.messages, "sent")?;
        let mut from_line = from_line;
        for ((source, checked), file) in sources.iter_mut().zip(&mut report.files) {
            let sent = send(source, checked, &queue, from_line, &mut interrupt, &progress).await?;
            from_line = 1;
            file.sent = sent.count;
            report.sent += sent.count;
            if let Some((end, line, sent_behind)) = sent.end {
                report.resume = Some(Resume { file: file.file.clone(), line, sent_behind });
                ended = Some(end);
                break;
            }
        }
    }
    if arguments.json {
        output::json(&report)?;
    } else {
        report.print()?;
    }
    match (ended, report.resume) {
        (Some(end), Some(resume)) => Err(unfinished(&end, &resume, &queue)),
        _ => Ok(()),
    }
}

fn unfinished(end: &End, resume: &Resume, queue: &Queue) -> anyhow::Error {
    let Resume { file, line, sent_behind } = resume;
    let again = match (sent_behind, queue.is_fifo) {
        (0, _) => String::new(),
        (_, true) => format!(
            ". {sent_behind} messages behind it were sent already; SQS drops what comes twice within \
             five minutes"
        ),
        (_, false) => {
            format!(". {sent_behind} messages behind it were sent already, and will be there twice")
        }
    };
    anyhow::anyhow!("{end}. To go on, import from {file} on with `--from-line {line}`{again}")
}

impl<'a> Report<'a> {
    fn new(queue: &'a Queue, sources: &[(Source, Checked)], dry_run: bool) -> Self {
        let file = |(source, checked): &(Source, Checked)| FileReport {
            file: source.name().to_owned(),
            messages: checked.messages,
            sent: 0,
            sha256: checked.sha256.clone(),
            queue: checked.header.queue.clone(),
            exported_at: checked.header.exported_at,
            complete: checked.complete,
        };
        Self {
            queue: &queue.name,
            files: sources.iter().map(file).collect(),
            messages: sources.iter().map(|(_, checked)| checked.messages).sum(),
            sent: 0,
            without_source: sources.iter().map(|(_, checked)| checked.without_source).sum(),
            dry_run,
            resume: None,
        }
    }

    fn print(&self) -> Result<()> {
        for file in &self.files {
            if file.complete == Some(false) {
                output::note(&format!("{} has a part of its queue only", file.file));
            }
        }
        if self.without_source > 0 {
            output::note(&format!(
                "{} messages are too large to name the queue that they failed in: replay them with `--to`",
                self.without_source
            ));
        }
        let names: Vec<_> = self.files.iter().map(|file| printable(&file.file)).collect();
        let (names, queue) = (names.join(", "), self.queue);
        if self.dry_run {
            return output::line(&format!(
                "{} messages of {names} fit into {queue}",
                self.messages
            ));
        }
        output::line(&format!(
            "{} of {} messages of {names} were sent to {queue}",
            self.sent, self.messages
        ))
    }
}
