"""The settings of each function are those that its binary reads: none is missing, and none is unknown."""

import functools
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Iterator

from render import MANIFESTS, ROOT, Rendered, environment, pods, settings_of

TASK_APP = os.environ.get("TASK_APP", str(ROOT / "target/debug/task-app"))

#: Read by the AWS SDK and not by a `Config`.
SDK = {"AWS_REGION"}
#: Names of what an account has. Without them a function starts, and does less, or looks elsewhere.
OF_THE_ACCOUNT = re.compile(r"_(TABLE|BUCKET|LOCATION|URL|URLS)$")
#: And where that is meant.
NOT_NEEDED = {
    "DATABASE_URL": "in a file: DATABASE_URL_FILE",
    # Facts and S3's notifications are small.
    "history-projector CLAIM_CHECK_BUCKET": "facts are small",
    "attachment-worker CLAIM_CHECK_BUCKET": "notifications of S3 are small",
    # It shows what became of commands, and changes nothing that is cached.
    "dead-letters REDIS_URL": "reads no task",
}
#: Each secret, and the setting by which a Lambda has it.
SECRETS = {"DATABASE_URL": "DATABASE_SECRET_ARN", "REDIS_URL": "REDIS_SECRET_ARN", "CURSOR_KEY": "CURSOR_KEY_SECRET_ARN"}
#: Commands of a tool whose settings are not at its top, and that share an environment.
COMMANDS = {"dead-letters": [["replay"], ["facts"]]}
#: A tool whose commands have environments of their own.
BY_COMMAND = {"backup"}


@dataclass(frozen=True)
class Settings:
    known: frozenset[str]
    required: frozenset[str]


@functools.cache
def settings_that_are_read(function: str) -> Settings:
    known: set[str] = set()
    required: set[str] = set()
    for command in COMMANDS.get(function, [[]]):
        done = subprocess.run([TASK_APP, *function.split(), *command, "--help"], capture_output=True, text=True, timeout=60, check=True)
        known |= set(re.findall(r"\[env: ([A-Z0-9_]+)", done.stdout))
        usage = re.search(r"^Usage: .*(?:\n +.*)*", done.stdout, re.MULTILINE)
        required |= set(re.findall(r"--[a-z-]+ <([A-Z_]+)>", usage[0] if usage else ""))
    if not known:
        raise AssertionError(f"{TASK_APP} {function} --help shows no setting")
    return Settings(frozenset(known), frozenset(required & known))


def environments(rendered: Rendered) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Who, which function, and its environment."""
    for pod in pods(rendered):
        arguments = pod.container["args"]
        yield str(pod), " ".join(arguments[: 2 if arguments[0] in BY_COMMAND else 1]), settings_of(rendered, pod)
    for function in rendered.kind("Function"):
        spec = function["spec"]
        yield f"Function {spec['name']}", spec["imageConfig"]["command"][0], spec["environment"]["variables"]


def none_is_unknown(rendered: Rendered) -> Iterator[str]:
    for who, function, found in environments(rendered):
        unknown = set(found) - settings_that_are_read(function).known - SDK
        if unknown:
            yield f"{who}: {function} does not read {sorted(unknown)}"


def none_is_missing(rendered: Rendered) -> Iterator[str]:
    for who, function, found in environments(rendered):
        settings = settings_that_are_read(function)
        needed = {name for name in settings.known if OF_THE_ACCOUNT.search(name)} | settings.required
        needed -= {name for name in needed if name in NOT_NEEDED or f"{function} {name}" in NOT_NEEDED}
        if who.startswith("Function "):
            needed |= settings.known & {"DATABASE_URL", *SECRETS.values()}
            needed.discard("CURSOR_KEY")
        else:
            needed |= settings.known & {"DATABASE_URL_FILE", "CURSOR_KEY"}
        missing = needed - set(found)
        if missing:
            yield f"{who}: {function} needs {sorted(missing)}"


def secrets_are_in_no_setting(rendered: Rendered) -> Iterator[str]:
    for config in rendered.kind("ConfigMap", "Function"):
        values = config.get("data") or config.get("spec", {}).get("environment", {}).get("variables", {})
        for name, value in values.items():
            # A Lambda has URLs without a login, and the ARN of the secret that has it.
            is_secret = name in SECRETS and (config["kind"] == "ConfigMap" or name == "CURSOR_KEY")
            if is_secret or re.search(r"://[^/]*@", value):
                yield f"{config['kind']} {config['metadata']['name']}: {name}"


def rate_limits_are_those_of_the_environment(rendered: Rendered) -> Iterator[str]:
    """All of them, wherever one counts: readers and writers must not differ."""
    limits = environment(MANIFESTS / "overlays" / rendered.overlay / "rate-limits.env")
    for who, function, found in environments(rendered):
        known = {name for name in settings_that_are_read(function).known if name.startswith("RATE_LIMIT_")}
        for name in sorted(known):
            if name not in limits or found.get(name) != limits[name]:
                yield f"{who}: {name} is {found.get(name)}, and not {limits.get(name)}"


RULES = [none_is_unknown, none_is_missing, secrets_are_in_no_setting, rate_limits_are_those_of_the_environment]
