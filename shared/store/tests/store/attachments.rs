//! Attachments: announced once, counted, read by their tenant only, and gone in the right order.

use std::collections::HashSet;
use std::time::Duration;

use domain::{
    AttachmentId, AttachmentKey, AttachmentState, Mismatch, NewAttachment, TaskId, limits,
};
use futures::future::join_all;
use secrecy::ExposeSecret as _;
use sqlx::postgres::PgPool;
use store::{Attached, CommandKey, Deletion, RequestKey};
use uuid::Uuid;

use crate::fixture::{Fixture, create, delete, incoming, new_task, now};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) fn file(name: &str) -> NewAttachment {
    NewAttachment {
        name: name.parse().expect("a name"),
        content_type: "image/png".parse().expect("a media type"),
        size: 3.try_into().expect("a size"),
        sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".parse().expect("a digest"),
    }
}

pub(crate) fn key(tenant: &str, task: TaskId) -> AttachmentKey {
    let id = AttachmentId::from(Uuid::now_v7());
    AttachmentKey { tenant: tenant.parse().expect("a tenant"), task, id }
}

impl Fixture {
    async fn task(&self) -> TaskId {
        let task = new_task();
        self.apply(vec![incoming(&task.to_string(), task, create("With files"))]).await;
        task
    }

    pub(crate) async fn attach(&self, key: &AttachmentKey) -> Attached {
        self.writer.attach(key.clone(), None, file("a.png"), now()).await.expect("an answer")
    }

    /// Under the idempotency key, if there is one, of `ann`.
    async fn delete(&self, key: &AttachmentKey, id: Option<&str>) -> Deletion {
        self.delete_as("ann", key, id).await
    }

    async fn delete_as(&self, caller: &str, key: &AttachmentKey, id: Option<&str>) -> Deletion {
        let request = id.map(|id| RequestKey {
            key: CommandKey { source: "/test".to_owned(), id: id.to_owned() },
            caller: caller.parse().expect("a caller"),
        });
        let deleted = self.writer.delete_attachment(key.clone(), request, now()).await;
        deleted.expect("an answer")
    }

    async fn verify(&self, key: &AttachmentKey, state: AttachmentState) {
        self.attachments.record_verification(key, state, now()).await.expect("recorded");
    }

    async fn deleted(&self) -> HashSet<AttachmentKey> {
        let sql = "SELECT tenant, task_id, id FROM attachments WHERE deleted_at IS NOT NULL";
        let rows: Vec<(String, Uuid, Uuid)> =
            sqlx::query_as(sql).fetch_all(&self.owner).await.expect("rows");
        let key = |(tenant, task, id): (String, Uuid, Uuid)| AttachmentKey {
            tenant: tenant.parse().expect("a tenant"),
            task: task.try_into().expect("a task"),
            id: id.into(),
        };
        rows.into_iter().map(key).collect()
    }
}

#[tokio::test]
async fn an_announcement_is_made_once_however_often_it_is_made() {
    let fixture = Fixture::new().await;
    let (task, other) = (fixture.task().await, fixture.task().await);
    let first = key("acme", task);
    let Attached::New(attachment) = fixture.attach(&first).await else { panic!("no attachment") };
    assert_eq!((attachment.id, attachment.state), (first.id, AttachmentState::Pending));
    assert_eq!(attachment.file, file("a.png"));
    assert_eq!(fixture.attach(&first).await, Attached::Known(attachment.clone()));

    let changed = fixture.writer.attach(first.clone(), None, file("b.png"), now()).await;
    assert_eq!(changed.expect("an answer"), Attached::KeyReused);
    let moved = AttachmentKey { task: other, ..first.clone() };
    assert_eq!(fixture.attach(&moved).await, Attached::KeyReused);
    let list = fixture.reader.attachments(&first.tenant, task).await.expect("a list");
    assert_eq!(list.readable, [attachment]);
}

#[tokio::test]
async fn a_repeated_deletion_gets_the_first_answer() {
    let fixture = Fixture::new().await;
    let task = fixture.task().await;
    let (first, second) = (key("acme", task), key("acme", task));
    fixture.attach(&first).await;
    fixture.attach(&second).await;
    assert_eq!(fixture.delete(&first, Some("1")).await, Deletion::Deleted { repeated: false });
    assert_eq!(fixture.delete(&first, Some("1")).await, Deletion::Deleted { repeated: true });
    assert_eq!(fixture.delete(&first, None).await, Deletion::NotFound);
    assert_eq!(fixture.delete(&first, Some("2")).await, Deletion::NotFound);
    assert_eq!(fixture.delete(&second, Some("1")).await, Deletion::KeyReused);
    let left = fixture.reader.attachments(&second.tenant, task).await.expect("a list");
    assert_eq!(left.readable.len(), 1, "nothing else was deleted");
}

#[tokio::test]
async fn only_a_task_that_exists_has_attachments() {
    let fixture = Fixture::new().await;
    let task = fixture.task().await;
    assert_eq!(fixture.attach(&key("acme", new_task())).await, Attached::NotFound);
    assert_eq!(fixture.attach(&key("other", task)).await, Attached::NotFound);
    fixture.apply(vec![incoming("gone", task, delete())]).await;
    assert_eq!(fixture.attach(&key("acme", task)).await, Attached::NotFound);
    assert_eq!(fixture.look("SELECT count(*)::text FROM attachments").await, "0");
}

#[tokio::test]
async fn a_task_has_so_many_attachments_however_they_race() {
    let fixture = Fixture::new().await;
    let task = fixture.task().await;
    let most = limits::ATTACHMENTS_MAX;
    let keys: Vec<_> = (0..most + 10).map(|_| key("acme", task)).collect();
    // Those that lose a place too often get an error and try again.
    let mut attached = Vec::new();
    let mut open: Vec<_> = keys.iter().collect();
    while !open.is_empty() {
        let announce =
            |key: &AttachmentKey| fixture.writer.attach(key.clone(), None, file("a"), now());
        let answers = join_all(open.iter().map(|key| announce(key))).await;
        let all = open.iter().copied().zip(answers);
        let (answered, lost): (Vec<_>, Vec<_>) = all.partition(|(_, answer)| answer.is_ok());
        attached.extend(answered.into_iter().filter_map(|(key, answer)| Some((key, answer.ok()?))));
        open = lost.into_iter().map(|(key, _)| key).collect();
    }
    let full = attached.iter().filter(|(_, attached)| *attached == Attached::Full).count();
    assert_eq!((attached.len(), full), (most + 10, 10));

    // A repeat still finds what is there, and a place that is freed is free at once.
    let there = |(_, attached): &&(_, Attached)| *attached != Attached::Full;
    let (first, _) = attached.iter().find(there).expect("an attachment");
    let again = fixture.writer.attach((*first).clone(), None, file("a"), now()).await;
    assert!(matches!(again.expect("an answer"), Attached::Known(known) if known.id == first.id));
    assert_eq!(fixture.attach(&key("acme", task)).await, Attached::Full);
    assert_eq!(fixture.delete(first, None).await, Deletion::Deleted { repeated: false });
    assert!(matches!(fixture.attach(&key("acme", task)).await, Attached::New(_)));
}

#[tokio::test]
async fn another_tenants_attachment_is_none() {
    let fixture = Fixture::new().await;
    let ours = key("acme", fixture.task().await);
    fixture.attach(&ours).await;
    let theirs = AttachmentKey { tenant: "other".parse().expect("a tenant"), ..ours.clone() };
    assert_eq!(fixture.attach(&theirs).await, Attached::NotFound);
    assert_eq!(fixture.reader.attachment(&theirs).await.expect("an answer"), None);
    assert_eq!(
        fixture.reader.attachments(&theirs.tenant, theirs.task).await.expect("a list").readable,
        []
    );
    assert_eq!(fixture.delete(&theirs, None).await, Deletion::NotFound);
    fixture.verify(&theirs, AttachmentState::Available).await;
    let found = fixture.reader.attachment(&ours).await.expect("an answer").expect("ours");
    assert_eq!(found.state, AttachmentState::Pending);
}

#[tokio::test]
async fn a_judgement_holds_until_the_next_one() {
    let fixture = Fixture::new().await;
    let key = key("acme", fixture.task().await);
    fixture.attach(&key).await;
    let rejected = AttachmentState::Rejected(Mismatch::Sha256);
    for state in [AttachmentState::Available, AttachmentState::Available, rejected] {
        fixture.verify(&key, state).await;
        let found = fixture.attachments.attachment(&key).await.expect("an answer");
        assert_eq!(found.expect("an attachment").state, state);
    }
}

#[tokio::test]
async fn a_task_takes_its_attachments_with_it() {
    let fixture = Fixture::new().await;
    let (ours, other) = (key("acme", fixture.task().await), key("acme", fixture.task().await));
    fixture.attach(&ours).await;
    fixture.attach(&other).await;
    fixture.verify(&ours, AttachmentState::Available).await;
    assert_eq!(fixture.deleted().await, HashSet::new());

    fixture.apply(vec![incoming("gone", ours.task, delete())]).await;
    assert_eq!(fixture.reader.attachment(&ours).await.expect("an answer"), None);
    assert_eq!(
        fixture.reader.attachments(&ours.tenant, ours.task).await.expect("a list").readable,
        []
    );
    assert_eq!(fixture.deleted().await, HashSet::from([ours.clone()]));
    fixture.verify(&ours, AttachmentState::Available).await;
    // Only what is deleted can be removed.
    fixture.attachments.remove_attachments(&[ours, other.clone()]).await.expect("removed");
    assert_eq!(fixture.deleted().await, HashSet::new());
    assert!(fixture.reader.attachment(&other).await.expect("an answer").is_some());
}

#[tokio::test]
async fn an_attachment_that_cannot_be_removed_waits_longer_each_time_and_holds_up_no_other() {
    let fixture = Fixture::new().await;
    let task = fixture.task().await;
    let (stuck, other) = (key("acme", task), key("acme", task));
    let take = async |seconds: u64| {
        let now = now() + Duration::from_secs(seconds);
        fixture.attachments.take_removals(now, 1).await.expect("keys")
    };
    for key in [&stuck, &other] {
        fixture.attach(key).await;
    }
    fixture.delete(&stuck, None).await;
    assert_eq!(take(0).await, std::slice::from_ref(&stuck));
    fixture.delete(&other, None).await;
    assert_eq!(take(0).await, std::slice::from_ref(&other));
    fixture.attachments.remove_attachments(&[other]).await.expect("removed");
    let mut due = 0;
    for attempt in 0..18 {
        let wait = 1 << 15.min(attempt);
        due += wait;
        assert_eq!(take(due - 1).await, [], "{wait}");
        assert_eq!(take(due).await, std::slice::from_ref(&stuck), "{wait}");
    }
}

#[tokio::test]
async fn what_nobody_uploads_or_wants_expires_and_nothing_else() {
    let fixture = Fixture::new().await;
    let task = fixture.task().await;
    let [pending, renewed, rejected, available] = [(); 4].map(|()| key("acme", task));
    for key in [&pending, &renewed, &rejected, &available] {
        fixture.attach(key).await;
    }
    fixture.verify(&rejected, AttachmentState::Rejected(Mismatch::Size)).await;
    fixture.verify(&available, AttachmentState::Available).await;
    let renew = fixture.writer.attach(renewed.clone(), None, file("a.png"), now() + HOUR).await;
    renew.expect("renewed");

    let expire = async |pending, rejected| {
        let expired = fixture.attachments.expire_attachments(pending, rejected, now() + HOUR);
        expired.await.expect("expired");
        fixture.deleted().await
    };
    assert_eq!(expire(now() - HOUR, now() - HOUR).await, HashSet::new());
    let soon = now() + Duration::from_secs(1);
    assert_eq!(expire(soon, now() - HOUR).await, HashSet::from([pending.clone()]));
    assert_eq!(expire(soon, soon).await, HashSet::from([pending.clone(), rejected]));
    assert_eq!(fixture.attach(&pending).await, Attached::NotFound, "its key is used up");
}

#[tokio::test]
async fn the_worker_may_touch_no_task_and_nobody_else_a_verification() {
    let fixture = Fixture::new().await;
    let connect = async |url: &secrecy::SecretString| {
        PgPool::connect(url.expose_secret()).await.expect("a login")
    };
    let worker = connect(&fixture.database.attachments_url).await;
    let writer = connect(&fixture.database.writer_url).await;
    let reader = connect(&fixture.database.reader_url).await;
    for (login, sql) in [
        (&worker, "SELECT FROM tasks"),
        (&worker, "UPDATE attachments SET sha256 = ''"),
        (&writer, "UPDATE attachments SET status = 'available'"),
        (&writer, "DELETE FROM attachments"),
        (&reader, "UPDATE attachments SET deleted_at = now()"),
    ] {
        let error = sqlx::raw_sql(sql).execute(login).await.expect_err("a refusal");
        assert!(error.to_string().contains("permission denied"), "{sql}: {error}");
    }
}
