"""A consumer of commands as its users would write it: boto3 and psycopg, several threads that poll, and for each
receive one statement that is a transaction. What cannot be written is not deleted."""

import logging
import os
from threading import Thread

import boto3
from botocore.config import Config
from psycopg import Error
from pydantic import ValidationError

from commands import CreateTask, connect, write

POLLERS = int(os.environ["POLLERS"])
QUEUE = os.environ["QUEUE_URL"]

sqs = boto3.client("sqs", config=Config(max_pool_connections=POLLERS))
pool = connect(POLLERS)


def poll():
    while True:
        try:
            answer = sqs.receive_message(QueueUrl=QUEUE, MaxNumberOfMessages=10, WaitTimeSeconds=20)
            done = handle(answer.get("Messages", []))
            if done:
                entries = [{"Id": it["MessageId"], "ReceiptHandle": it["ReceiptHandle"]} for it in done]
                sqs.delete_message_batch(QueueUrl=QUEUE, Entries=entries)
        except Exception:
            logging.exception("a poll failed")


def handle(messages):
    """Returns the messages to delete."""
    read = []
    for message in messages:
        try:
            read.append((message, CreateTask.model_validate_json(message["Body"])))
        except ValidationError as error:
            logging.error("%s: %s", message["MessageId"], error)
    if not read:
        return []
    try:
        write(pool, [command for _, command in read])
    except Error:
        logging.exception("a batch failed")
        return one_by_one(read)
    return [message for message, _ in read]


def one_by_one(read):
    """So that a command that PostgreSQL refuses keeps no other from its effect."""
    written = []
    for message, command in read:
        try:
            write(pool, [command])
            written.append(message)
        except Error as error:
            logging.error("%s: %s", message["MessageId"], error)
    return written


threads = [Thread(target=poll) for _ in range(POLLERS)]
for thread in threads:
    thread.start()
