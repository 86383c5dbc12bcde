//! Which commands took effect already, by the inbox.
//!
//! To replay one of them does nothing, and to replay it edited does something twice. An operator should know
//! before.

use std::collections::BTreeMap;
use std::env::var_os;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::Result;
use causes::with_causes;
use clap::Parser;
use store::{CommandKey, ProcessedCommand, ProcessedCommands, ProcessedResult, Sought, Store};

use crate::dead_letter::Summary;
use crate::mistake::Mistake;
use crate::output::{note, printable};

/// Commands of one look-up.
const PAGE: usize = 1_000;
/// Messages that are named.
const MOST_NOTES: u64 = 10;

/// The settings of PostgreSQL, from the environment only.
#[derive(Parser)]
struct Settings {
    #[command(flatten)]
    store: store::Config,
}

/// The commands of each tenant: what their events say, and how the inbox knows them.
#[derive(Default)]
pub(crate) struct Commands(BTreeMap<String, (Vec<CommandKey>, Vec<Sought>)>);

/// The inbox.
pub(crate) struct Effects {
    inbox: ProcessedCommands,
    noted: AtomicU64,
    is_unavailable: AtomicBool,
}

impl Commands {
    /// Adds a message, if it is a command.
    pub(crate) fn add(&mut self, summary: &Summary) {
        let (source, id) = (summary.source.clone(), summary.event_id.clone());
        if let (Some(tenant), Some(source), Some(id), Some(command)) =
            (&summary.tenant, source, id, &summary.command)
        {
            let (events, commands) = self.0.entry(tenant.clone()).or_default();
            events.push(CommandKey { source, id });
            commands.push(command.clone());
        }
    }
}

impl Effects {
    /// `None` if the environment names no database.
    pub(crate) async fn from_environment() -> Result<Option<Self>> {
        let names = ["DATABASE_URL", "DATABASE_URL_FILE"];
        if names.into_iter().all(|name| var_os(name).is_none_or(|value| value.is_empty())) {
            return Ok(None);
        }
        let settings = Settings::try_parse_from(["dead-letters"]);
        let settings = settings.map_err(|error| Mistake::new(error.to_string()))?;
        let inbox = ProcessedCommands::new(Store::connect(&settings.store).await?);
        let (noted, is_unavailable) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Some(Self { inbox, noted, is_unavailable }))
    }

    /// Those that took effect, by source and id; `None` if the inbox cannot be read, which is noted.
    pub(crate) async fn of(&self, commands: &Commands) -> Option<Vec<CommandKey>> {
        if self.is_unavailable.load(Ordering::Relaxed) {
            return None;
        }
        let mut found = Vec::new();
        for (tenant, (events, commands)) in &commands.0 {
            for (events, commands) in events.chunks(PAGE).zip(commands.chunks(PAGE)) {
                match self.inbox.find(tenant, commands).await {
                    Ok(processed) => found.extend(events.iter().zip(processed)),
                    Err(error) => {
                        self.is_unavailable.store(true, Ordering::Relaxed);
                        let error = printable(&with_causes(&error));
                        note(&format!("it is unknown which commands took effect already: {error}"));
                        return None;
                    }
                }
            }
        }
        let found = found.into_iter().filter(|(_, one)| one.as_ref().is_some_and(took_effect));
        Some(found.map(|(event, _)| event.clone()).collect())
    }

    /// Notes which of some messages took effect, before they are sent.
    pub(crate) async fn note(&self, summaries: &[&Summary], is_edited: bool) {
        let mut commands = Commands::default();
        for summary in summaries {
            commands.add(summary);
        }
        let consequence = if is_edited {
            "edited, it is a new command and may take effect again"
        } else {
            "to replay it has no second effect"
        };
        for CommandKey { source, id } in self.of(&commands).await.unwrap_or_default() {
            match self.noted.fetch_add(1, Ordering::Relaxed) {
                0..MOST_NOTES => {
                    let (source, id) = (printable(&source), printable(&id));
                    note(&format!("{source} {id} took effect already: {consequence}"));
                }
                MOST_NOTES => note("others took effect already, too"),
                _ => (),
            }
        }
    }
}

fn took_effect(command: &ProcessedCommand) -> bool {
    matches!(command.result, Some(ProcessedResult::Applied(_) | ProcessedResult::Deleted))
}
