//! The read of one task, through the cache.

use bytes::Bytes;
use domain::{Task, TaskId, TenantId, Version};
use sqlx::types::Json;

use crate::cache::Cached;
use crate::error::ReadError;
use crate::store::Store;

/// A task as its JSON, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskBody {
    /// The task's version: the same version has the same bytes.
    pub version: Version,
    /// The task as JSON.
    pub json: Bytes,
}

impl Store {
    /// The task, from the cache or from PostgreSQL; `None` if there is none or it was deleted.
    ///
    /// # Errors
    /// When it is not in the cache and PostgreSQL does not answer.
    pub async fn task(&self, tenant: &TenantId, id: TaskId) -> Result<Option<TaskBody>, ReadError> {
        match self.cache.get(tenant, id).await {
            Cached::Task(body) => return Ok(Some(body)),
            Cached::Deleted => return Ok(None),
            Cached::Unknown => {}
        }
        let task = sqlx::query_scalar!(
            r#"SELECT to_jsonb(tasks) AS "task!: Json<Task>" FROM tasks WHERE tenant = $1 AND id = $2"#,
            tenant.as_str(),
            id.as_uuid(),
        )
        .fetch_optional(&self.pool)
        .await?;
        let Some(Json(task)) = task else { return Ok(None) };
        self.cache.write_through([&task]).await;
        Ok(body(&task)?)
    }
}

/// The task as its JSON, unless it was deleted.
pub(crate) fn body(task: &Task) -> Result<Option<TaskBody>, sqlx::Error> {
    if task.is_deleted() {
        return Ok(None);
    }
    let json = serde_json::to_vec(task).map_err(|error| sqlx::Error::Encode(Box::new(error)))?;
    Ok(Some(TaskBody { version: task.version, json: json.into() }))
}
