"""Goes the way of a release on one machine: a commit of the digest, the overlay that ArgoCD would sync,
the functions started from it, a command, and the task that it made.

usage: local-stack exec -- python try_pipeline.py DIGEST BACKUP_DIGEST

`PICTURE` in the environment names a file: the dashboard is drawn there, after a minute of commands and requests.
"""

import json
import math
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

import account
import dashboard
import picture
import test_alerts as alerts
from dashboard import Query
from environment import Running, address, render
from lambda_host import LambdaHost
from policies.functions import TASK_APP
from prometheus import Prometheus
from render import ROOT, Rendered, pods

PATIENCE = 120
PICTURE_SECONDS = 60
TASK = "0192f1a0-7c3e-7b44-9a53-3a1d0d4f5e10"
EVENT = ROOT / "events/examples/valid/dev.task-app.create-task.v1.minimal.json"


def main() -> None:
    digests = dict(zip(("task-app", "task-app-backup"), sys.argv[1:], strict=True))
    with tempfile.TemporaryDirectory() as folder:
        release(Path(folder), digests)
        with Issuer() as issuer:
            values, secret_values = an_account(issuer)
            for choice in ("pods", "lambdas"):
                step(f"start the functions from the overlay, hosts: {choice}")
                place = Path(folder) / choice
                rendered = render(place, "dev", choice, values)
                if choice == "pods":
                    migrate(rendered, secret_values, place)
                use(rendered, secret_values, place, issuer, choice)
    print("every step passed")


def step(text: str) -> None:
    print(f"==> {text}", flush=True)


def release(folder: Path, digests: dict[str, str]) -> None:
    step("commit the digests on a local git remote")
    remote, clone = folder / "remote.git", folder / "clone"
    git = ["git", "-c", "user.name=try", "-c", "user.email=try@example.com", "-c", "init.defaultBranch=main"]
    run(*git, "init", "--quiet", "--bare", str(remote), cwd=folder)
    run(*git, "clone", "--quiet", str(remote), str(clone), cwd=folder)
    shutil.copytree(ROOT / "manifests", clone / "manifests", ignore=shutil.ignore_patterns("__pycache__"))
    run(*git, "add", "--all", cwd=clone)
    run(*git, "commit", "--quiet", "--message", "feat: what is merged", cwd=clone)
    run(*git, "push", "--quiet", "origin", "HEAD:main", cwd=clone)
    names = {f"GIT_{who}_{what}": "try@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    run(str(ROOT / ".github/scripts/set-digest"), "dev", "HEAD",
        *(f"{image}={digest}" for image, digest in digests.items()), cwd=clone, **names)
    step("render what ArgoCD would sync, and validate it")
    run("git", "pull", "--quiet", "origin", "main", cwd=clone)
    text = run(os.environ.get("KUBECTL", "kubectl"), "kustomize", "manifests/overlays/dev", cwd=clone)
    for image, least in (("task-app", 8), ("task-app-backup", 2)):
        assert text.count(f"/{image}@{digests[image]}") == text.count(f"/{image}@sha256:") > least, f"{image}: not everywhere"
    (folder / "rendered.yaml").write_text(text)
    run(sys.executable, "-m", "kubernetes_validate", "--strict", "--quiet", str(folder / "rendered.yaml"), cwd=folder)


def run(*command: str, cwd: Path, **more: str) -> str:
    done = subprocess.run(command, cwd=cwd, env=os.environ | more, check=False, capture_output=True, text=True, timeout=PATIENCE)
    if done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}{done.stdout}")
    return done.stdout


def an_account(issuer: "Issuer") -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    step("create the account's resources on the local stack")
    values = account.create()
    database, redis = address("DATABASE_URL"), address("REDIS_URL")
    values |= {
        "REGION": os.environ["AWS_REGION"],
        "DATABASE_HOST": database[0], "DATABASE_PORT": database[1],
        "DATABASE_NAME": os.environ["DATABASE_URL"].split("?")[0].rsplit("/", 1)[1],
        "REDIS_HOST": redis[0], "REDIS_PORT": redis[1], "REDIS_URL": f"redis://{redis[0]}:{redis[1]}",
        "AUTH_ISSUER": issuer.url, "AUTH_JWKS_URL": issuer.url + "/jwks.json",
    }
    values["DATABASE_PROXY_URL"] = f"postgres://{database[0]}:{database[1]}/{values['DATABASE_NAME']}"
    found = account.secret_values()
    arns = account.create_secrets(found)
    return values | arns, {arns[name]: value for name, value in found.items()}


def migrate(rendered: Rendered, secret_values: dict[str, dict[str, str]], place: Path) -> None:
    job = next(pod for pod in pods(rendered) if str(pod) == "Job migrate")
    running = Running(TASK_APP, rendered, job, secret_values, place)
    if running.process.wait(PATIENCE):
        raise AssertionError(f"migrate failed:\n{running.log.read_text()[-3000:]}")
    account.create_logins(rendered.values, secret_values)


def use(rendered: Rendered, secret_values: dict[str, dict[str, str]], place: Path, issuer: "Issuer", choice: str) -> None:
    running = [Running(TASK_APP, rendered, pod, secret_values, place)
               for pod in pods(rendered) if pod.owner["kind"] == "Deployment"]
    mappings = {each["metadata"]["name"]: each for each in rendered.kind("EventSourceMapping")}
    lambdas = [LambdaHost(TASK_APP, each, mappings.get(each["metadata"]["name"])) for each in rendered.kind("Function")]
    try:
        until("every pod is ready", lambda: all(each.is_ready() for each in running))
        read, write = (http(name, running, lambdas) for name in ("task-reader", "task-writer"))
        task = TASK if choice == "pods" else TASK[:-1] + "1"
        step(f"  {len(running)} pods, {len(lambdas)} Lambdas; send a command, read the task")
        event = json.loads(EVENT.read_text()) | {"subject": task, "id": f"try-{choice}"}
        account.client("sqs").send_message(QueueUrl=rendered.values["TASK_COMMANDS_QUEUE_URL"], MessageBody=json.dumps(event),
                                           MessageGroupId=task, MessageDeduplicationId=event["id"])
        token = issuer.token()

        def polled(path: str) -> dict[str, Any]:
            for each in lambdas:
                each.poll()
            return read(path, token)

        until("the task is there", lambda: polled(f"/v1/tasks/{task}").get("title") == "Buy milk")
        assert write(f"/v1/tasks/{task}/complete", token, "POST")["status"] == "completed"
        until("its history is there", lambda: "task.completed" in json.dumps(polled(f"/v1/tasks/{task}/history")))
        if not lambdas:
            back_up(rendered, secret_values, place)
            observe(running, rendered, place, read, token)
    finally:
        for each in running:
            each.process.terminate()
        for host in lambdas:
            host.stop()
        codes = {each.name: each.process.wait(PATIENCE) for each in running}
    assert set(codes.values()) == {0}, f"not all drained: {codes}"


def back_up(rendered: Rendered, secret_values: dict[str, dict[str, str]], place: Path) -> None:
    step("  take a backup, restore it into a scratch database, and prune")
    by_name = {str(pod): pod for pod in pods(rendered)}
    for name in ("backup", "backup-verify", "backup-prune"):
        # The server of the local stack stands in for the one beside a verification.
        scratch = {"SCRATCH_DATABASE_URL": os.environ["DATABASE_URL"]} if name == "backup-verify" else {}
        running = Running(TASK_APP, rendered, by_name[f"CronJob {name}"], secret_values, place, scratch)
        if running.process.wait(PATIENCE):
            raise AssertionError(f"{name} failed:\n{running.log.read_text()[-3000:]}")


def http(name: str, running: list[Running], lambdas: list[LambdaHost]) -> Callable[..., dict[str, Any]]:
    """How requests come to a function, in its host."""
    host = next((each for each in lambdas if each.name == name), None)
    if host:
        return host.request
    port = next(each.http for each in running if each.name == f"Deployment {name}")
    return lambda *request: get(port, *request)


def observe(running: list[Running], rendered: Rendered, place: Path, read: Callable[..., dict[str, Any]], token: str) -> None:
    step("  scrape the pods with Prometheus: every panel has data, every metric of an alert is there")
    prometheus = Prometheus(running, place)
    try:
        account.client("sqs").send_message(QueueUrl=rendered.values["TASK_COMMANDS_QUEUE_URL"], MessageBody="{}",
                                           MessageGroupId="bad", MessageDeduplicationId="bad")
        wanted = dashboard.queries() + [Query(name, f'{{__name__=~"{name}(_bucket)?"}}') for name in alerts.metrics()]

        def has_data() -> bool:
            read(f"/v1/tasks/{TASK}", token)
            wanted[:] = [query for query in wanted if not answers(prometheus, query)]
            return not wanted

        until(lambda: f"data, with the labels of the legend, for {wanted}", has_data)
        until("Redis is used", lambda: latest(prometheus, "max(redis_circuit_breakers_open)") == 0)
        if "PICTURE" in os.environ:
            take_picture(prometheus, rendered, read, token)
    finally:
        prometheus.stop()


def answers(prometheus: Prometheus, query: Query) -> bool:
    found = prometheus.query(query.expression)
    return bool(found) and all(each["metric"].get(label) for each in found for label in query.labels)


def latest(prometheus: Prometheus, expression: str) -> float:
    """Of one series; not a number if there is none yet."""
    found = prometheus.query(expression)
    return float(found[0]["value"][1]) if found else math.nan


def take_picture(prometheus: Prometheus, rendered: Rendered, read: Callable[..., dict[str, Any]], token: str) -> None:
    step("  a minute of commands and requests, and a picture of the dashboard")
    until("the backup is seen", lambda: latest(prometheus, "max(backup_last_verified_timestamp_seconds)") > 0)
    event = json.loads(EVENT.read_text())
    sqs, begun, number = account.client("sqs"), time.time(), 0
    while (seconds := time.time() - begun) < PICTURE_SECONDS:
        number += 1
        task = TASK[:-12] + secrets.token_hex(6)
        # Now and then one that can never succeed.
        body = "{}" if number % 50 == 0 else json.dumps(event | {"subject": task, "id": f"picture-{number}"})
        sqs.send_message(QueueUrl=rendered.values["TASK_COMMANDS_QUEUE_URL"], MessageBody=body, MessageGroupId=task,
                         MessageDeduplicationId=f"picture-{number}")
        for path in (TASK, task) if number % 3 else (TASK,):
            read(f"/v1/tasks/{path}", token)
        # Waves, so that the lines are no lines.
        time.sleep(0.02 * (1.2 + math.sin(seconds / 6)))
    svg = picture.draw(dashboard.dashboard(), lambda expression: prometheus.history(dashboard.over(expression, "10s"), begun), seconds)
    Path(os.environ["PICTURE"]).write_text(svg)


def until(what: str | Callable[[], str], condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not in {PATIENCE} s: {what if isinstance(what, str) else what()}")
        time.sleep(0.2)


def get(port: int, path: str, token: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method,
                                     headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return {"status": error.code}


class Issuer:
    """Signs tokens, and publishes the key that verifies them."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        keys = json.dumps({"keys": [jwk | {"kid": "try", "alg": "ES256", "use": "sig"}]}).encode()

        class Keys(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(keys)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Keys)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Issuer":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()

    def token(self) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": "task-app", "sub": "try", "tenant": "local", "scope": "tasks:read tasks:write",
                  "iat": now, "nbf": now, "exp": now + 600}
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "try"})


if __name__ == "__main__":
    main()
