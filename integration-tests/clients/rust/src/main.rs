//! What every generated client must be able to do, with the Rust client that OpenAPI Generator makes.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use sha2::{Digest as _, Sha256};
use task_app_client::apis::configuration::Configuration;
use task_app_client::apis::{Error, ResponseContent};
use task_app_client::apis::{
    actions_api as actions, attachments_api as attachments, history_api as history,
    operations_api as operations, tasks_api as tasks,
};
use task_app_client::models::{
    AttachmentDownload, AttachmentStatus, CreateTask, Expected, Mismatch, NewAttachment, NewTasks,
    OperationStatus, Priority, Problem, SignedRequest, Sort, Status, TaskPatch,
};

const FILE: &[u8] = b"Not much of a picture";

/// What an answer holds, of one that has it.
macro_rules! held {
    ($call:expr, $kind:path) => {
        match $call.await {
            Ok(ResponseContent { entity: Some($kind(held)), .. }) => held,
            Ok(other) => panic!("{}: {}", other.status, other.content),
            Err(error) => panic!("{error:?}"),
        }
    };
}

/// The problem of a call that must have one.
fn problem<S, E: std::fmt::Debug>(
    answer: Result<ResponseContent<S>, Error<E>>,
) -> (StatusCode, Problem) {
    match answer {
        Err(Error::ResponseError(found)) => {
            (found.status, serde_json::from_str(&found.content).unwrap())
        }
        Err(error) => panic!("{error:?}"),
        Ok(answer) => panic!("{}: {}", answer.status, answer.content),
    }
}

async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..300 {
        if let Some(found) = check().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("not within a minute: {what}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let api = Configuration {
        base_path: std::env::var("BASE_URL").unwrap(),
        bearer_access_token: Some(std::env::var("TOKEN").unwrap()),
        ..Configuration::default()
    };
    let api = &api;

    let bulk = NewTasks::new(vec![
        CreateTask::new("A".to_owned()),
        CreateTask { priority: Some(Priority::High), ..CreateTask::new("B".to_owned()) },
    ]);
    let created =
        held!(tasks::create_tasks(api, bulk, None, None), tasks::CreateTasksSuccess::Status207);
    assert!(created.results.iter().all(|result| result.status == 201), "{created:?}");
    let second = created.results[1].task.clone().unwrap();
    assert_eq!(second.priority, Priority::High);

    let new = CreateTask {
        tags: Some(vec!["home".to_owned()]),
        ..CreateTask::new("Water the plants".to_owned())
    };
    let task =
        held!(tasks::create_task(api, new, None, None, None), tasks::CreateTaskSuccess::Status201);
    let id = task.id.as_str();

    assert_eq!(pages(api).await, ["A", "B", "Water the plants"]);

    let patch =
        || TaskPatch { priority: Some(Priority::Urgent), due_date: Some(None), ..TaskPatch::new() };
    let change = || tasks::update_task(api, id, patch(), None, None, None, Some("\"1\""));
    assert_eq!(held!(change(), tasks::UpdateTaskSuccess::Status200).version, 2);
    let (status, conflict) = problem(change().await);
    assert_eq!(status, 412);
    assert_eq!(
        (conflict.r#type.as_str(), conflict.actual),
        ("urn:problem:version-conflict", Some(2))
    );

    // For no body, it would send `null`, which is none of an object.
    let any = || Some(Expected::new());
    let complete = || actions::complete_task(api, id, None, None, None, None, any());
    let completed = held!(complete(), actions::CompleteTaskSuccess::Status200);
    assert_eq!(completed.status, Status::Completed);
    assert_eq!(problem(complete().await).1.r#type, "urn:problem:task-already-completed");

    let later = Some("respond-async");
    let accepted = held!(
        actions::reopen_task(api, id, None, later, None, None, any()),
        actions::ReopenTaskSuccess::Status202
    );
    let operation = eventually("the operation", async || {
        let found = held!(
            operations::get_operation(api, &accepted.id),
            operations::GetOperationSuccess::Status200
        );
        (found.status != OperationStatus::Accepted).then_some(found)
    })
    .await;
    assert_eq!(operation.status, OperationStatus::Succeeded);

    files(api, id).await;

    let entries = eventually("the history", async || {
        let page = held!(
            history::list_history(api, id, None, None, None),
            history::ListHistorySuccess::Status200
        );
        (page.history.len() == 4).then_some(page.history)
    })
    .await;
    let versions: Vec<_> = entries.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [4, 3, 2, 1]);
    assert_eq!(entries[0].task.status, Status::Open);

    let deleted = tasks::delete_task(api, id, None, None, None, None).await.unwrap();
    assert_eq!(deleted.status, 204);
    let (status, gone) = problem(tasks::get_task(api, id, Some("no-cache"), None).await);
    assert_eq!((status.as_u16(), gone.r#type.as_str()), (404, "urn:problem:not-found"));
    println!("done");
}

/// The titles of all tasks, read one at a time.
async fn pages(api: &Configuration) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = held!(
            tasks::list_tasks(
                api,
                None,
                cursor.as_deref(),
                None,
                None,
                Some(1),
                None,
                Some(Sort::CREATED),
                None,
                None,
                None,
                None,
                Some("no-cache"),
                None,
            ),
            tasks::ListTasksSuccess::Status200
        );
        seen.extend(page.tasks.into_iter().map(|task| task.title));
        let Some(next) = page.next else { return seen };
        cursor =
            next.split(['?', '&']).find_map(|one| one.strip_prefix("cursor=")).map(str::to_owned);
        assert!(cursor.is_some(), "{next}");
    }
}

/// A file goes up and down, and another one than was announced does not.
async fn files(api: &Configuration, task: &str) {
    let (right, sent) = upload(api, task, FILE).await;
    assert_eq!(sent, 200);
    let available = eventually("the file", async || {
        let found = find(api, task, &right).await;
        (found.status == AttachmentStatus::Available).then_some(found)
    })
    .await;
    let download = available.download.unwrap();
    let file = Client::new().get(download.url).send().await.unwrap().bytes().await.unwrap();
    assert_eq!(file, FILE);

    let (wrong, sent) = upload(api, task, b"Something else").await;
    // S3 does not take it; what stands in for S3 may, and then it is found out.
    let refused = if sent.is_success() {
        (AttachmentStatus::Rejected, Some(Mismatch::Sha256))
    } else {
        (AttachmentStatus::Pending, None)
    };
    eventually("the other file is refused", async || {
        let found = find(api, task, &wrong).await;
        ((found.status, found.reason) == refused).then_some(())
    })
    .await;
    let listed = held!(
        attachments::list_attachments(api, task, None),
        attachments::ListAttachmentsSuccess::Status200
    );
    assert_eq!(listed.attachments.len(), 2);
}

/// Announces a file with the digest of `announced`, and sends [`FILE`].
async fn upload(api: &Configuration, task: &str, announced: &[u8]) -> (String, StatusCode) {
    let sha256 = BASE64_STANDARD.encode(Sha256::digest(announced));
    let size = i32::try_from(FILE.len()).unwrap();
    let (kind, name) = ("text/plain".to_owned(), "plan.txt".to_owned());
    let new = NewAttachment::new(kind, name, sha256, size);
    let attachment = held!(
        attachments::create_attachment(api, task, new, None),
        attachments::CreateAttachmentSuccess::Status201
    );
    assert_eq!(attachment.status, AttachmentStatus::Pending);
    let SignedRequest { method, url, headers, .. } = *attachment.upload.unwrap();
    let mut sent = HeaderMap::new();
    for (name, value) in headers.unwrap_or_default() {
        sent.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
    }
    let request = Client::new().request(Method::try_from(method.as_str()).unwrap(), url);
    let answer = request.headers(sent).body(FILE).send().await.unwrap();
    (attachment.id, answer.status())
}

async fn find(api: &Configuration, task: &str, attachment: &str) -> AttachmentDownload {
    held!(
        attachments::get_attachment(api, task, attachment),
        attachments::GetAttachmentSuccess::Status200
    )
}
