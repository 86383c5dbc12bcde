//! A subscriber of one's own: receives facts, and checks them against what the service did.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::world::{World, eventually};

/// What has arrived at a queue.
pub(crate) struct Subscriber<'a> {
    world: &'a World,
    url: String,
    facts: HashMap<String, Value>,
    /// By task: the facts, as they first arrived.
    order: HashMap<String, Vec<i64>>,
    /// Whether any arrived more than once.
    pub(crate) repeated: bool,
}

impl<'a> Subscriber<'a> {
    pub(crate) fn new(world: &'a World, url: &str) -> Self {
        Self {
            world,
            url: url.to_owned(),
            facts: HashMap::new(),
            order: HashMap::new(),
            repeated: false,
        }
    }

    /// Waits until the facts of every change and of every refusal have arrived; fails if any is
    /// wrong or, in a FIFO queue, came before an earlier one of its task.
    pub(crate) async fn receives_everything(&mut self) {
        let versions = "SELECT coalesce(sum(version), 0)::bigint FROM tasks";
        let refusals = "SELECT count(*) FROM inbox WHERE outcome ? 'refused'";
        let expected = self.world.count(versions).await + self.world.count(refusals).await;
        eventually("every fact arrives", async || {
            self.receive().await;
            (i64::try_from(self.facts.len()) == Ok(expected)).then_some(())
        })
        .await;
        self.receive().await;
        assert_eq!(i64::try_from(self.facts.len()), Ok(expected), "and nothing else");
        self.assert_in_order();
    }

    /// What has arrived, each once.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Value> {
        self.facts.values()
    }

    async fn receive(&mut self) {
        let sqs = &self.world.sqs;
        let receive = sqs.receive_message().queue_url(&self.url).max_number_of_messages(10);
        let received = receive.send().await.expect("an answer");
        for message in received.messages() {
            let fact: Value = serde_json::from_str(message.body().expect("a body")).expect("JSON");
            self.note(&fact);
            let handle = message.receipt_handle().expect("a handle");
            let delete = sqs.delete_message().queue_url(&self.url).receipt_handle(handle);
            delete.send().await.expect("a deletion");
        }
    }

    fn note(&mut self, fact: &Value) {
        assert_eq!(fact["specversion"], "1.0");
        assert_eq!(fact["tenant"], "acme");
        let id = fact["id"].as_str().expect("an id").to_owned();
        let task = fact["subject"].as_str().expect("a subject").to_owned();
        if let Some(first) = self.facts.insert(id.clone(), fact.clone()) {
            assert_eq!(&first, fact, "told again, it is the same");
            self.repeated = true;
        } else {
            self.order.entry(task).or_default().push(id.parse().expect("a number"));
        }
    }

    fn assert_in_order(&self) {
        assert!(!self.order.is_empty());
        for (task, ids) in &self.order {
            assert!(ids.is_sorted() || !self.url.contains(".fifo"), "{task}: {ids:?}");
            let ids: BTreeSet<_> = ids.iter().collect();
            let version = |id: &&i64| self.facts[&id.to_string()]["data"]["version"].as_u64();
            let versions: Vec<_> = ids.iter().filter_map(version).collect();
            let count = u64::try_from(versions.len()).expect("a count");
            assert_eq!(versions, (1..=count).collect::<Vec<_>>(), "of {task}");
        }
    }
}
