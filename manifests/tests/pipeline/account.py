"""An account on this machine: what shared/resources/resources.json describes, in the AWS-compatible server."""

import json
import os
import secrets
from typing import Any
from urllib.parse import urlsplit

import boto3
import pg8000.native

from render import ROOT

#: The logins of the functions, as cdk/ has them: user, and the group of shared/store/migrations/.
LOGINS = {
    "task-reader": ("task_reader", "task_app_reader"),
    "task-writer": ("task_writer", "task_app_writer"),
    "command-worker": ("command_worker", "task_app_writer"),
    "attachment-worker": ("attachment_worker", "task_app_attachments"),
    "outbox-relay": ("outbox_relay", "task_app_relay"),
    "backup": ("task_backup", "task_app_backup"),
}


def client(service: str) -> Any:
    return boto3.client(service, endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name=os.environ["AWS_REGION"])


def create() -> dict[str, str]:
    """Creates what is described, and returns the values of account.env that name it."""
    described = json.loads((ROOT / "shared/resources/resources.json").read_text())
    values: dict[str, str] = {}
    for queue in described["queues"].values():
        key = upper_snake(queue["name"])
        values[f"{key}_QUEUE_URL"], values[f"{key}_QUEUE_ARN"] = create_queue(queue)
    for table in described["tables"].values():
        create_table(table)
        values[f"{upper_snake(table['name'])}_TABLE"] = table["name"]
    for bucket in described["buckets"].values():
        client("s3").create_bucket(Bucket=bucket["name"])
        values[f"{upper_snake(bucket['name'])}_BUCKET"] = bucket["name"]
    return values


def upper_snake(name: str) -> str:
    return name.removesuffix(".fifo").replace("-", "_").upper()


def create_queue(queue: dict[str, Any]) -> tuple[str, str]:
    sqs = client("sqs")
    fifo = {"FifoQueue": "true"} if "fifo" in queue else {}
    dead = sqs.create_queue(QueueName=queue["deadLetterQueue"]["name"], Attributes=fifo)["QueueUrl"]
    arn = arn_of(dead)
    url = sqs.create_queue(QueueName=queue["name"], Attributes=fifo | {
        "VisibilityTimeout": str(queue["visibilityTimeoutSeconds"]),
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": queue["maxReceiveCount"]}),
    })["QueueUrl"]
    return url, arn_of(url)


def arn_of(url: str) -> str:
    return client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def create_table(table: dict[str, Any]) -> None:
    keys = [(table[key], kind) for key, kind in (("partitionKey", "HASH"), ("sortKey", "RANGE")) if key in table]
    attributes = {key["name"]: key["type"] for key, _ in keys}
    more: dict[str, Any] = {}
    for index in table.get("indexes", []):
        attributes[index["partitionKey"]["name"]] = index["partitionKey"]["type"]
        more.setdefault("GlobalSecondaryIndexes", []).append({
            "IndexName": index["name"],
            "KeySchema": [{"AttributeName": index["partitionKey"]["name"], "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        })
    client("dynamodb").create_table(
        TableName=table["name"],
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": key["name"], "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()],
        **more,
    )


def secret_values() -> dict[str, dict[str, str]]:
    """What Secrets Manager has in an account, by the names that `account.env` has for their ARNs."""
    owner = urlsplit(os.environ["DATABASE_URL"])
    found = {"DATABASE_SECRET_ARN_MIGRATE": {"username": owner.username or "", "password": owner.password or ""}}
    for name, (user, _) in LOGINS.items():
        found[f"DATABASE_SECRET_ARN_{upper_snake(name)}"] = {"username": user, "password": secrets.token_hex(16)}
    found["CURSORS_SECRET_ARN"] = {"key": secrets.token_hex(32)}
    found["REDIS_SECRET_ARN"] = {"token": urlsplit(os.environ["REDIS_URL"]).password or ""}
    return found


def create_secrets(found: dict[str, dict[str, str]]) -> dict[str, str]:
    """Returns their ARNs, by the same names."""
    manager = client("secretsmanager")
    return {name: manager.create_secret(Name=f"try/{name}", SecretString=json.dumps(value))["ARN"] for name, value in found.items()}


def create_logins(values: dict[str, str], secret_values: dict[str, dict[str, str]]) -> None:
    """After `migrate`, which creates the groups."""
    owner = urlsplit(os.environ["DATABASE_URL"])
    connection = pg8000.native.Connection(owner.username or "", host=owner.hostname or "", port=owner.port or 5432,
                                          password=owner.password, database=owner.path[1:])
    for name, (user, group) in LOGINS.items():
        password = secret_values[values[f"DATABASE_SECRET_ARN_{upper_snake(name)}"]]["password"]
        connection.run(f"CREATE ROLE {user} LOGIN PASSWORD '{password}'")
        connection.run(f"GRANT {group} TO {user}")
    connection.close()
