//! The versions in a bucket, and holds on some of them.

use aws_sdk_s3::types::{ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHoldStatus};
use futures::future::join_all;
use uuid::Uuid;

use super::fixture::{FILE, Fixture};

impl Fixture {
    /// From now on.
    pub(crate) async fn enable_locks(&self) {
        let enabled = ObjectLockEnabled::Enabled;
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(enabled).build();
        let put = self.s3.put_object_lock_configuration().bucket(&self.bucket);
        put.object_lock_configuration(lock).send().await.expect("locks");
    }

    /// How many versions and delete markers there are of an object.
    pub(crate) async fn versions(&self, key: &str) -> usize {
        let list = self.s3.list_object_versions().bucket(&self.bucket).prefix(key);
        let found = list.send().await.expect("versions");
        found.versions().len() + found.delete_markers().len()
    }

    /// Deleted attachments of a task, whose objects S3 does not let go; the key of one.
    pub(crate) async fn deleted_under_legal_hold(&self, task: &str, count: usize) -> String {
        let task = task.rsplit('/').next().expect("an id");
        let ids: Vec<_> = (0..count).map(|_| Uuid::now_v7()).collect();
        let key = |id: &Uuid| format!("attachments/acme/{task}/{id}");
        join_all(ids.iter().map(async |id| {
            let put = self.s3.put_object().bucket(&self.bucket).key(key(id));
            let held = put.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
            held.body(FILE.to_vec().into()).send().await.expect("put");
        }))
        .await;
        let insert = "INSERT INTO attachments (tenant, id, task_id, name, content_type, size_bytes, \
                      sha256, created_at, updated_at, deleted_at) \
                      SELECT 'acme', id, $2, 'a.png', 'image/png', 3, sha256(''), now(), now(), \
                      now() - interval '1 day' FROM unnest($1::uuid[]) AS id";
        let task = Uuid::parse_str(task).expect("a UUID");
        let inserted = sqlx::query(insert).bind(&ids).bind(task).execute(&self.system.owner).await;
        inserted.expect("rows");
        key(&ids[0])
    }
}
