"""Commands, checked against the contract by Pydantic, and the statement that writes them in one transaction."""

import hashlib
import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from psycopg import RawCursor
from psycopg_pool import ConnectionPool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

STATEMENT = Path(os.environ["STATEMENT"]).read_bytes()
Visible = Annotated[str, StringConstraints(max_length=200, pattern=r"^[!-~]+$")]
Tag = Annotated[str, StringConstraints(max_length=50, pattern=r"^[a-z0-9][a-z0-9._:-]*$")]


class Data(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    description: Annotated[str, StringConstraints(max_length=10_000)] | None = None
    priority: Literal["low", "normal", "high", "urgent"] = "normal"
    assignee: Annotated[Visible, StringConstraints(max_length=100)] | None = None
    due_date: date | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] = []


class CreateTask(BaseModel):
    specversion: Literal["1.0"]
    type: Literal["dev.task-app.create-task.v1"]
    tenant: Visible
    source: Visible
    id: Visible
    subject: UUID
    data: Data


def connect(connections):
    """A pool whose connections commit each statement, and prepare it at its first use."""
    settings = {"autocommit": True, "prepare_threshold": 0, "cursor_factory": RawCursor}
    return ConnectionPool(os.environ["DATABASE_URL"], min_size=connections, max_size=connections, kwargs=settings)


def write(pool, commands):
    now = datetime.now(UTC).isoformat()
    columns = [list(column) for column in zip(*(row(command, now) for command in commands), strict=True)]
    with pool.connection() as connection:
        connection.execute(STATEMENT, columns)


def row(command, now):
    data = command.data
    content = data.model_dump_json()
    task = {
        "id": str(command.subject),
        "tenant": command.tenant,
        **json.loads(content),
        "status": "open",
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    return (
        command.tenant,
        command.source,
        command.id,
        command.subject,
        hashlib.sha256(content.encode()).digest(),
        data.title,
        data.description,
        data.priority,
        data.assignee,
        data.due_date,
        ",".join(data.tags),
        json.dumps(task),
    )
