//! Messages, how they are handled, and what that must come to.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Host;
use super::dead_letter::Dead;
use super::fixture::{Effect, Fixture, Sent};
use crate::support::event_source_mapping::TIME;

/// A row of the table.
pub(crate) struct Scenario {
    pub(crate) messages: Vec<Sent>,
    pub(crate) settings: Vec<(&'static str, &'static str)>,
    /// How long a handler may take.
    pub(crate) limit: Duration,
    /// The deliveries that are handled, in the order of their group.
    pub(crate) groups: Groups,
    pub(crate) dead: Vec<Dead>,
}

/// By group the deliveries, each as `id: what it came to`.
pub(crate) type Groups = BTreeMap<String, Vec<String>>;

/// What a scenario came to. The queue is empty.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    groups: Groups,
    dead: Vec<Dead>,
}

impl Default for Scenario {
    fn default() -> Self {
        let (messages, settings, groups, dead) = Default::default();
        Self { messages, settings, limit: TIME, groups, dead }
    }
}

/// The deliveries of each group that must have been handled.
pub(crate) fn groups(all: &[(&str, &[&str])]) -> Groups {
    let text = |handled: &[&str]| handled.iter().map(|text| (*text).to_owned()).collect();
    all.iter().map(|(group, handled)| ((*group).to_owned(), text(handled))).collect()
}

impl Scenario {
    pub(crate) async fn check(self, host: Host) {
        self.check_on(&Fixture::new().await, host).await;
    }

    /// Sends, starts the function, waits for the end of all messages, and compares.
    pub(crate) async fn check_on(self, fixture: &Fixture, host: Host) {
        fixture.send(&self.messages).await;
        let _running = host.start(fixture, &self.settings, self.limit).await;
        fixture.empty().await;
        self.compare(fixture).await;
    }

    /// What was left must be what is expected.
    pub(crate) async fn compare(mut self, fixture: &Fixture) {
        self.dead.sort();
        assert_eq!(Outcome::of(fixture).await, Outcome { groups: self.groups, dead: self.dead });
    }
}

impl Outcome {
    async fn of(fixture: &Fixture) -> Self {
        let mut dead: Vec<_> = fixture.take_dead_letters().await.iter().map(Dead::read).collect();
        dead.sort();
        Self { groups: handled(&fixture.effects()), dead }
    }
}

/// Of each group the deliveries, in the order in which they began. One that has no end was cut off.
fn handled(effects: &[Effect]) -> Groups {
    let mut groups = Groups::new();
    for (place, effect) in effects.iter().enumerate().filter(|(_, effect)| effect.what == "began") {
        let later = effects.iter().skip(place + 1);
        let next = later.into_iter().find(|later| later.id == effect.id);
        let end = next.filter(|next| next.what != "began").map_or("no end", |next| &next.what);
        groups.entry(effect.group.clone()).or_default().push(format!("{}: {end}", effect.id));
    }
    groups
}
