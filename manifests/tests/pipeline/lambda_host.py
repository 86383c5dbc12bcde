"""Lambda for one function on this machine: the Runtime API, the event source mapping of a queue, a load balancer."""

import json
import os
import queue
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from account import client

Object = dict[str, Any]
PATIENCE = 60
AWS = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class LambdaHost:
    """Runs a Function as it is rendered, and invokes it as its mapping says, or as a load balancer does."""

    def __init__(self, binary: str, function: Object, mapping: Object | None) -> None:
        spec = function["spec"]
        self.name = function["metadata"]["name"]
        self.timeout = spec["timeout"]
        self.mapping = mapping["spec"] if mapping else None
        self.events: queue.Queue[Object] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Object]] = queue.Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Api", (RuntimeApi,), {"host": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.process = subprocess.Popen(
            [binary, *spec["imageConfig"]["command"]],
            env=spec["environment"]["variables"] | {name: os.environ[name] for name in AWS} | {
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": spec["name"],
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec["memorySize"]),
            },
        )

    def poll(self) -> int:
        """Receives a batch, invokes, and deletes what did not fail; returns how many that were."""
        if not self.mapping:
            return 0
        sqs = client("sqs")
        url = sqs.get_queue_url(QueueName=self.mapping["eventSourceARN"].split(":")[-1])["QueueUrl"]
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=self.mapping["batchSize"],
                                       WaitTimeSeconds=1, AttributeNames=["All"], MessageAttributeNames=["All"])
        messages = received.get("Messages", [])
        if not messages:
            return 0
        body = self.invoke({"Records": [self.record(each, self.mapping["eventSourceARN"]) for each in messages]})
        failed = {each["itemIdentifier"] for each in body["batchItemFailures"]}
        done = [each for each in messages if each["MessageId"] not in failed]
        for each in done:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return len(done)

    def request(self, path: str, token: str, method: str = "GET") -> Object:
        """As a load balancer sends it, which hands on each value of a header."""
        answer = self.invoke({
            "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/try/1"}},
            "httpMethod": method,
            "path": path,
            "multiValueQueryStringParameters": {},
            "multiValueHeaders": {"authorization": [f"Bearer {token}"]},
            "isBase64Encoded": False,
            "body": None,
        })
        return json.loads(answer["body"]) if answer["statusCode"] == 200 else {"status": answer["statusCode"]}

    def invoke(self, event: Object) -> Object:
        self.events.put(event)
        path, body = self.answers.get(timeout=PATIENCE)
        if not path.endswith("/response"):
            raise AssertionError(f"{self.name}: the invocation failed: {body}")
        return body

    def record(self, message: Object, arn: str) -> Object:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message["Attributes"],
            "messageAttributes": {
                name: {"stringValue": each.get("StringValue"), "dataType": each["DataType"]}
                for name, each in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": os.environ["AWS_REGION"],
        }

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.server.shutdown()


class RuntimeApi(BaseHTTPRequestHandler):
    host: LambdaHost

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self, body: Object, headers: dict[str, str]) -> None:
        text = json.dumps(body).encode()
        self.send_response(200)
        for name, value in (headers | {"content-type": "application/json", "content-length": str(len(text))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def do_GET(self) -> None:
        if "/extension/" in self.path:
            threading.Event().wait()  # a shutdown, which comes as a signal
        event = self.host.events.get()
        self.answer(event, {
            "lambda-runtime-aws-request-id": str(uuid.uuid4()),
            "lambda-runtime-deadline-ms": str(int((time.time() + self.host.timeout) * 1000)),
            "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:000000000000:function:try",
        })

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if "/extension/" not in self.path:
            self.host.answers.put((self.path, json.loads(body or b"{}")))
        self.answer({"functionName": "try", "functionVersion": "$LATEST", "handler": "bootstrap"},
                    {"lambda-extension-identifier": str(uuid.uuid4())})
