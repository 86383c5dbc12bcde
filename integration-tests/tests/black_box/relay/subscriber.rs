//! A subscriber of one's own: receives facts, and checks them against what the service did.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::support::system::{TestSystem, eventually};

/// AWS's rule for a message, which the server that stands in for it does not enforce.
fn is_taken_by_sqs(character: char) -> bool {
    let refused = ('\0'..' ').contains(&character) && !['\t', '\n', '\r'].contains(&character);
    !refused && !['\u{fffe}', '\u{ffff}'].contains(&character)
}

/// What has arrived at a queue.
pub(crate) struct Subscriber<'a> {
    system: &'a TestSystem,
    url: String,
    facts: HashMap<String, Value>,
    /// By task: the versions of the facts, as they first arrived.
    versions: HashMap<String, Vec<u64>>,
    /// How many arrived once more.
    pub(crate) repeats: usize,
}

impl<'a> Subscriber<'a> {
    pub(crate) fn new(system: &'a TestSystem, url: &str) -> Self {
        Self {
            system,
            url: url.to_owned(),
            facts: HashMap::new(),
            versions: HashMap::new(),
            repeats: 0,
        }
    }

    /// Waits until the facts of every change and of every refusal have arrived; fails if any is
    /// wrong or, in a FIFO queue, came before an earlier one of its task.
    pub(crate) async fn receives_everything(&mut self) {
        let versions = "SELECT coalesce(sum(version), 0)::bigint FROM tasks";
        let refusals = "SELECT count(*) FROM inbox WHERE outcome ? 'refused'";
        let expected = self.system.count(versions).await + self.system.count(refusals).await;
        eventually("every fact arrives", async || {
            self.receive().await;
            (i64::try_from(self.facts.len()) == Ok(expected)).then_some(())
        })
        .await;
        self.receive().await;
        assert_eq!(i64::try_from(self.facts.len()), Ok(expected), "and nothing else");
        self.assert_in_order();
    }

    /// Waits until so many facts have arrived; fails if there are more.
    pub(crate) async fn receives(&mut self, count: usize) {
        eventually("every fact arrives", async || {
            self.receive().await;
            (self.facts.len() >= count).then_some(())
        })
        .await;
        assert_eq!(self.facts.len(), count);
    }

    /// What has arrived, each once.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Value> {
        self.facts.values()
    }

    pub(crate) async fn receive(&mut self) {
        let sqs = &self.system.sqs;
        let receive = sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let received = receive.send().await.expect("an answer");
        for message in received.messages() {
            let body = message.body().expect("a body");
            assert!(body.chars().all(is_taken_by_sqs), "{body:?}");
            let fact: Value = serde_json::from_str(body).expect("JSON");
            self.note(&fact);
            let handle = message.receipt_handle().expect("a handle");
            let delete = sqs.delete_message().queue_url(&self.url).receipt_handle(handle);
            delete.send().await.expect("a deletion");
        }
    }

    fn note(&mut self, fact: &Value) {
        assert_eq!(fact["specversion"], "1.0");
        let id = fact["id"].as_str().expect("an id").to_owned();
        assert!(uuid::Uuid::parse_str(&id).is_ok(), "{id}");
        let task = fact["subject"].as_str().expect("a subject").to_owned();
        if let Some(first) = self.facts.insert(id, fact.clone()) {
            assert_eq!(&first, fact, "published again, it is the same");
            self.repeats += 1;
        } else if let Some(version) = fact["data"]["version"].as_u64() {
            self.versions.entry(task).or_default().push(version);
        }
    }

    fn assert_in_order(&self) {
        assert!(!self.versions.is_empty());
        for (task, versions) in &self.versions {
            assert!(versions.is_sorted() || !self.url.contains(".fifo"), "{task}: {versions:?}");
            let versions: BTreeSet<_> = versions.iter().copied().collect();
            let count = u64::try_from(versions.len()).expect("a count");
            assert_eq!(versions, (1..=count).collect(), "of {task}");
        }
    }
}
