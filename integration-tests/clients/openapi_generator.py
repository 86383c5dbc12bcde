"""What every generated client must be able to do, with the Python client that openapi-generator makes."""

import base64
import hashlib
import os
from urllib.parse import parse_qs, urlsplit

import urllib3
from story import FILE, eventually
from task_app import ApiClient, Configuration
from task_app.api import ActionsApi, AttachmentsApi, HistoryApi, OperationsApi, TasksApi
from task_app.exceptions import ApiException
from task_app.models import (
    AttachmentStatus,
    CreateTask,
    Mismatch,
    NewAttachment,
    NewTasks,
    OperationStatus,
    Priority,
    Sort,
    Status,
    TaskPatch,
)

client = ApiClient(Configuration(host=os.environ["BASE_URL"], access_token=os.environ["TOKEN"]))
tasks, actions, attachments = TasksApi(client), ActionsApi(client), AttachmentsApi(client)


def problem(call, *arguments, **named):
    try:
        answer = call(*arguments, **named)
    except ApiException as problem:
        return problem.status, problem.data
    raise AssertionError(answer)


bulk = tasks.create_tasks(
    NewTasks(tasks=[CreateTask(title="A"), CreateTask(title="B", priority=Priority.HIGH)])
)
assert [result.status for result in bulk.results] == [201, 201], bulk
assert bulk.results[1].task.priority is Priority.HIGH

created = tasks.create_task_with_http_info(CreateTask(title="Water the plants", tags=["home"]))
task = created.data
assert created.headers["location"] == f"/v1/tasks/{task.id}", created

seen, cursor = [], None
while True:
    page = tasks.list_tasks(limit=1, sort=Sort.CREATED, cache_control="no-cache", cursor=cursor)
    seen += [task.title for task in page.tasks]
    if not page.next:
        break
    cursor = parse_qs(urlsplit(page.next).query)["cursor"][0]
assert seen == ["A", "B", "Water the plants"], seen

patch = TaskPatch(priority=Priority.URGENT, due_date=None)
patched = tasks.update_task_with_http_info(task.id, patch, if_match='"1"')
assert patched.headers["etag"] == '"2"', patched
assert patched.data.priority is Priority.URGENT
status, conflict = problem(tasks.update_task, task.id, patch, if_match='"1"')
assert (status, conflict.type, conflict.actual) == (412, "urn:problem:version-conflict", 2), conflict

assert actions.complete_task(task.id).status is Status.COMPLETED
_, again = problem(actions.complete_task, task.id)
assert again.type == "urn:problem:task-already-completed", again

accepted = actions.reopen_task_with_http_info(task.id, prefer="respond-async")
assert accepted.status_code == 202, accepted


def outcome():
    operation = OperationsApi(client).get_operation(accepted.data.id)
    return operation if operation.status is not OperationStatus.ACCEPTED else None


assert eventually("the operation", outcome).status is OperationStatus.SUCCEEDED


def upload(digest):
    new = NewAttachment(
        name="plan.txt",
        content_type="text/plain",
        size=len(FILE),
        sha256=base64.b64encode(digest).decode(),
    )
    announced = attachments.create_attachment(task.id, new)
    assert announced.status is AttachmentStatus.PENDING
    request = announced.upload
    sent = urllib3.request(request.method, request.url, headers=request.headers, body=FILE)
    return announced.id, sent.status


right, sent = upload(hashlib.sha256(FILE).digest())
assert sent == 200, sent


def available():
    found = attachments.get_attachment(task.id, right)
    return found if found.status is AttachmentStatus.AVAILABLE else None


assert urllib3.request("GET", eventually("the file", available).download.url).data == FILE
wrong, sent = upload(hashlib.sha256(b"Something else").digest())


def refused():
    """S3 does not take it; what stands in for S3 may, and then it is found out."""
    found = attachments.get_attachment(task.id, wrong)
    expected = (AttachmentStatus.PENDING, None) if sent >= 400 else (AttachmentStatus.REJECTED, Mismatch.SHA256)
    return found if (found.status, found.reason) == expected else None


eventually("the other file is refused", refused)
assert len(attachments.list_attachments(task.id).attachments) == 2


def whole_history():
    history = HistoryApi(client).list_history(task.id)
    return history.history if len(history.history) == 4 else None


history = eventually("the history", whole_history)
assert [entry.version for entry in history] == [4, 3, 2, 1], history
assert history[0].task.status is Status.OPEN

assert tasks.delete_task_with_http_info(task.id).status_code == 204
_, gone = problem(tasks.get_task, task.id, cache_control="no-cache")
assert gone.type == "urn:problem:not-found", gone
print("done")
