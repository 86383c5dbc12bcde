"""Publishes a task with the CloudEvents SDK for Python and boto3."""

import os

import boto3
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

event = CloudEvent(
    {
        "type": "dev.task-app.create-task.v1",
        "source": "/python-sdk",
        "subject": os.environ["TASK"],
        "tenant": "acme",
    },
    {"title": "From the SDK for Python"},
)
boto3.client("sqs").send_message(
    QueueUrl=os.environ["QUEUE_URL"],
    MessageBody=JSONFormat().write(event).decode(),
    MessageGroupId=event.get_subject(),
    MessageDeduplicationId=event.get_id(),
)
