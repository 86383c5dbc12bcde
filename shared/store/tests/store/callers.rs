//! Idempotency keys belong to the caller that chose them, also beside processes of before that knew none;
//! and facts name who sent their command.

use std::collections::HashMap;

use domain::{AttachmentId, AttachmentKey, TaskId};
use futures::future::join;
use store::{Announcer, Attached, CommandKey, Deletion, Incoming, Outcome, Receipt, RequestKey};
use uuid::Uuid;

use crate::attachments::{file, key};
use crate::fixture::{Fixture, called_by, create, incoming, new_task, now, rename};
use crate::outbox::{LONG, pending};

const APPLIED: Outcome = Outcome::Applied { version: 1 };

impl Fixture {
    async fn one(&self, command: Incoming) -> Receipt {
        self.apply(vec![command]).await.remove(0)
    }

    async fn by(&self, caller: &str, id: &str, title: &str) -> Receipt {
        self.one(called_by(caller, incoming(id, new_task(), create(title)))).await
    }

    async fn rename_by(&self, caller: &str, id: &str, task: TaskId) -> Receipt {
        self.one(called_by(caller, incoming(id, task, rename("Buy beer", None)))).await
    }

    async fn announce(&self, caller: &str, key: &AttachmentKey, own: AttachmentId) -> Attached {
        let announcer = Announcer { caller: caller.parse().expect("a caller"), own };
        let attached = self.writer.attach(key.clone(), Some(announcer), file("a.png"), now());
        attached.await.expect("an answer")
    }

    async fn remove(&self, caller: &str, key: &AttachmentKey) -> Deletion {
        let request = RequestKey {
            key: CommandKey { source: "/test".to_owned(), id: "remove".to_owned() },
            caller: caller.parse().expect("a caller"),
        };
        let deleted = self.writer.delete_attachment(key.clone(), Some(request), now()).await;
        deleted.expect("an answer")
    }
}

fn id(receipt: &Receipt) -> TaskId {
    receipt.task.as_ref().expect("a task").id
}

#[tokio::test]
async fn callers_with_one_key_get_their_own_results_and_do_not_conflict() {
    let fixture = Fixture::new().await;
    let ann = fixture.by("ann", "order-17", "Buy milk").await;
    let bob = fixture.by("bob", "order-17", "Buy milk").await;
    let eve = fixture.by("eve", "order-17", "Buy bread").await;
    for receipt in [&ann, &bob, &eve] {
        assert_eq!((&receipt.outcome, receipt.repeated), (&APPLIED, false));
    }
    assert_eq!(fixture.look("SELECT count(*)::text FROM tasks").await, "3");

    for (caller, title, first) in
        [("ann", "Buy milk", &ann), ("bob", "Buy milk", &bob), ("eve", "Buy bread", &eve)]
    {
        let repeat = fixture.by(caller, "order-17", title).await;
        assert_eq!((id(&repeat), repeat.repeated), (id(first), true), "{caller}");
        let other = fixture.by(caller, "order-17", "Buy beer").await;
        assert_eq!(other.outcome, Outcome::KeyReused, "{caller}");
    }

    for (caller, receipt) in [("ann", &ann), ("bob", &bob)] {
        assert!(!fixture.rename_by(caller, "order-18", id(receipt)).await.repeated, "{caller}");
    }
    // After the first one was forgotten, and after another caller came in its place.
    let forget = "DELETE FROM inbox WHERE caller = 'ann'";
    sqlx::query(forget).execute(&fixture.owner).await.expect("forgotten");
    for (round, is_joe_there) in [("1", false), ("2", true)] {
        // Commands are looked up for a while after a repeat, whosever they are: so one that is new.
        let new = fixture.by("eve", round, "Buy milk").await;
        fixture.rename_by("eve", &format!("{round}-renamed"), id(&new)).await;
        let repeat = fixture.by("bob", "order-17", "Buy milk").await;
        assert_eq!((id(&repeat), repeat.repeated), (id(&bob), true));
        assert!(fixture.rename_by("bob", "order-18", id(&bob)).await.repeated);
        let joe = fixture.by("joe", "order-17", "Buy milk").await;
        assert_eq!(joe.repeated, is_joe_there);
    }
}

#[tokio::test]
async fn callers_that_come_at_once_with_one_key_both_take_effect() {
    let fixture = Fixture::new().await;
    for round in 0..20 {
        let key = round.to_string();
        let both = join(fixture.by("ann", &key, "Buy milk"), fixture.by("bob", &key, "Buy milk"));
        let (ann, bob) = both.await;
        assert!(!ann.repeated && !bob.repeated);
        assert_ne!(id(&ann), id(&bob));
    }
}

#[tokio::test]
async fn processes_of_before_and_of_today_recognise_each_others_requests() {
    let fixture = Fixture::new().await;
    let before = |title| incoming("order-17", new_task(), create(title));
    let first = fixture.one(before("Buy milk")).await;
    let repeat = fixture.by("ann", "order-17", "Buy milk").await;
    assert_eq!((id(&repeat), repeat.repeated), (id(&first), true), "recorded before");

    let first = fixture.by("ann", "order-18", "Buy milk").await;
    let repeat = fixture.one(incoming("order-18", new_task(), create("Buy milk"))).await;
    assert_eq!((id(&repeat), repeat.repeated), (id(&first), true), "recorded today");
    assert_eq!(fixture.look("SELECT count(*)::text FROM tasks").await, "2");
}

#[tokio::test]
async fn attachments_under_one_key_of_two_callers_are_two() {
    let fixture = Fixture::new().await;
    let task = new_task();
    fixture.apply(vec![incoming("1", task, create("With files"))]).await;
    let chosen = key("acme", task);
    let owns = [("ann", Uuid::now_v7()), ("bob", Uuid::now_v7())];
    let own = |caller| AttachmentId::from(HashMap::from(owns)[caller]);
    let Attached::New(ann) = fixture.announce("ann", &chosen, own("ann")).await else {
        panic!("not new");
    };
    let Attached::New(bob) = fixture.announce("bob", &chosen, own("bob")).await else {
        panic!("not new");
    };
    assert_eq!((ann.id, bob.id), (chosen.id, own("bob")));
    assert_eq!(fixture.announce("ann", &chosen, own("ann")).await, Attached::Known(ann.clone()));
    assert_eq!(fixture.announce("bob", &chosen, own("bob")).await, Attached::Known(bob.clone()));
    assert_eq!(fixture.attach(&chosen).await, Attached::Known(ann), "as of a process of before");

    let bobs = AttachmentKey { id: bob.id, ..chosen.clone() };
    let deleted = |repeated| Deletion::Deleted { repeated };
    assert_eq!(fixture.remove("ann", &chosen).await, deleted(false));
    assert_eq!(fixture.remove("bob", &bobs).await, deleted(false));
    assert_eq!(fixture.remove("ann", &chosen).await, deleted(true));
    assert_eq!(fixture.remove("bob", &bobs).await, deleted(true));
    assert_eq!(fixture.remove("ann", &bobs).await, Deletion::KeyReused);
}

#[tokio::test]
async fn a_fact_names_the_caller_or_the_producer() {
    let fixture = Fixture::new().await;
    let task = new_task();
    let mut before = incoming("3", task, rename("Buy bread", None));
    before.key.source = "urn:task-app:http".to_owned();
    let refused = called_by("bob", incoming("4", task, rename("Buy beer", Some(9))));
    let batch = vec![
        called_by("ann", incoming("1", task, create("Buy milk"))),
        incoming("2", task, rename("Buy oat milk", None)),
        before,
        refused,
    ];
    fixture.apply(batch).await;
    let outbox = fixture.outbox(LONG);
    let lease = outbox.lease().await.expect("a lease");
    let facts = pending(&outbox, &lease).await;
    let actors: Vec<_> = facts
        .into_iter()
        .map(|fact| fact.record.expect("a record").actor.map(|actor| actor.to_string()))
        .collect();
    let expected = [Some("ann"), Some("/test"), None, Some("bob")];
    assert_eq!(actors, expected.map(|actor| actor.map(ToOwned::to_owned)));
}
