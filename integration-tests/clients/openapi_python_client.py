"""What every generated client must be able to do, with the client that openapi-python-client makes."""

import base64
import hashlib
import os
from urllib.parse import parse_qs, urlsplit

import httpx
from story import FILE, eventually
from task_app import AuthenticatedClient
from task_app.api.actions import complete_task, reopen_task
from task_app.api.attachments import create_attachment, get_attachment, list_attachments
from task_app.api.history import list_history
from task_app.api.operations import get_operation
from task_app.api.tasks import create_task, create_tasks, delete_task, get_task, list_tasks, update_task
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
from task_app.types import UNSET

api = AuthenticatedClient(base_url=os.environ["BASE_URL"], token=os.environ["TOKEN"])


bulk = create_tasks.sync(
    client=api,
    body=NewTasks(tasks=[CreateTask(title="A"), CreateTask(title="B", priority=Priority.HIGH)]),
)
assert [result.status for result in bulk.results] == [201, 201], bulk
assert bulk.results[1].task.priority is Priority.HIGH

created = create_task.sync_detailed(client=api, body=CreateTask(title="Water the plants", tags=["home"]))
task = created.parsed
assert created.headers["location"] == f"/v1/tasks/{task.id}", created

seen, cursor = [], {}
while True:
    page = list_tasks.sync(client=api, limit=1, sort=Sort.CREATED, cache_control="no-cache", **cursor)
    seen += [task.title for task in page.tasks]
    if not page.next_:
        break
    cursor = {"cursor": parse_qs(urlsplit(page.next_).query)["cursor"][0]}
assert seen == ["A", "B", "Water the plants"], seen

patch = TaskPatch(priority=Priority.URGENT, due_date=None)
patched = update_task.sync_detailed(task.id, client=api, body=patch, if_match='"1"')
assert patched.headers["etag"] == '"2"', patched
assert patched.parsed.priority is Priority.URGENT
conflict = update_task.sync_detailed(task.id, client=api, body=patch, if_match='"1"')
assert conflict.status_code == 412, conflict
assert (conflict.parsed.type_, conflict.parsed.actual) == ("urn:problem:version-conflict", 2)

assert complete_task.sync(task.id, client=api).status is Status.COMPLETED
assert complete_task.sync(task.id, client=api).type_ == "urn:problem:task-already-completed"

accepted = reopen_task.sync_detailed(task.id, client=api, prefer="respond-async")
assert accepted.status_code == 202, accepted


def outcome():
    operation = get_operation.sync(accepted.parsed.id, client=api)
    return operation if operation.status is not OperationStatus.ACCEPTED else None


assert eventually("the operation", outcome).status is OperationStatus.SUCCEEDED


def upload(digest):
    new = NewAttachment(
        name="plan.txt",
        content_type="text/plain",
        size=len(FILE),
        sha256=base64.b64encode(digest).decode(),
    )
    announced = create_attachment.sync(task.id, client=api, body=new)
    assert announced.status is AttachmentStatus.PENDING
    request = announced.upload
    headers = request.headers.to_dict()
    sent = httpx.request(request.method, request.url, headers=headers, content=FILE)
    return announced.id, sent.status_code


right, sent = upload(hashlib.sha256(FILE).digest())
assert sent == 200, sent


def available():
    found = get_attachment.sync(task.id, right, client=api)
    return found if found.status is AttachmentStatus.AVAILABLE else None


assert httpx.get(eventually("the file", available).download.url).content == FILE
wrong, sent = upload(hashlib.sha256(b"Something else").digest())


def refused():
    """S3 does not take it; what stands in for S3 may, and then it is found out."""
    found = get_attachment.sync(task.id, wrong, client=api)
    expected = (AttachmentStatus.PENDING, UNSET) if sent >= 400 else (AttachmentStatus.REJECTED, Mismatch.SHA256)
    return found if (found.status, found.reason) == expected else None


eventually("the other file is refused", refused)
assert len(list_attachments.sync(task.id, client=api).attachments) == 2


def whole_history():
    history = list_history.sync(task.id, client=api)
    return history.history if len(history.history) == 4 else None


history = eventually("the history", whole_history)
assert [entry.version for entry in history] == [4, 3, 2, 1], history
assert history[0].task.status is Status.OPEN

assert delete_task.sync_detailed(task.id, client=api).status_code == 204
gone = get_task.sync(task.id, client=api, cache_control="no-cache")
assert gone.type_ == "urn:problem:not-found", gone
print("done")
