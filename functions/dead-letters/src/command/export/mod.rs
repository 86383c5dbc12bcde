//! `dead-letters export`: dead letters into a file or an S3 object, and none of them moved.

mod copy;

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::Serialize;

use super::Context;
use crate::arguments::ExportArguments;
use crate::file::{Header, Place, Writer, Written, s3};
use crate::output::{self, Progress, printable};
use crate::queue::{End, Interrupt, Peeked, find};
use crate::report::incomplete;
use copy::copy;

/// What `export --json` prints.
#[derive(Serialize, JsonSchema)]
pub(super) struct Report<'a> {
    queue: &'a str,
    target: String,
    #[serde(flatten)]
    written: Written,
    read: u64,
    in_queue: u64,
    complete: bool,
}

pub(super) async fn run(context: &Context, arguments: &ExportArguments) -> Result<()> {
    let ExportArguments { selection, target, .. } = arguments;
    let to_stdout = *target == Place::Stdout;
    let queue = find(&context.client, &selection.queue).await?;
    let mut interrupt = Interrupt::listen()?;
    let header = Header::new(&queue.arn, context.now, selection.which.texts());
    let mut writer = Writer::begin(target, &s3(&context.aws), arguments.overwrite, header).await?;
    let progress = Progress::of(queue.depth.visible)?;
    let which = &selection.which;
    let copied = copy(&queue, which, context.now, &mut interrupt, &mut writer, &progress).await;
    drop(progress);
    let checked = copied.and_then(|read| Ok((read, incomplete(&queue, read)?)));
    let (Peeked { read, end }, shortfall) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            writer.discard().await?;
            return Err(error);
        }
    };
    let complete = shortfall.is_none() && which.sample.is_none() && end != End::Enough;
    let written = writer.finish(Some(complete)).await?;
    let count = written.messages;
    if arguments.json {
        let (read, in_queue) = (read as u64, queue.depth.total());
        let target = target.to_string();
        output::json(&Report { queue: &queue.name, target, written, read, in_queue, complete })?;
    } else if to_stdout {
        output::note(&format!("{count} messages of {} were exported", queue.name));
    } else {
        let target = printable(&target.to_string());
        output::line(&format!("{count} messages of {} are in {target}", queue.name))?;
    }
    match shortfall {
        Some(shortfall) if arguments.allow_sample => output::note(&shortfall),
        Some(shortfall) => bail!("{shortfall}. With `--allow-sample` that is a success"),
        None => (),
    }
    Ok(())
}
