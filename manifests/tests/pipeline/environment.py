"""An overlay on this machine: rendered with local values, and started as a cluster would start it.

What differs from a cluster: local servers speak no TLS, every pod has the same address and so ports of its
own, and AWS is the address of what stands in for it.
"""

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import yaml

from render import MANIFESTS, Object, Pod, Rendered, choose, environment, kustomize

AWS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
TLS = (("rediss://", "redis://"), ("?sslmode=verify-full&sslrootcert=/etc/ssl/rds.pem", ""))


def render(folder: Path, overlay: str, choice: str, values: dict[str, str]) -> Rendered:
    """The overlay of a clone, with other values."""
    manifests = folder / "manifests"
    shutil.copytree(MANIFESTS, manifests, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    own = manifests / "overlays" / overlay
    choose(own / "kustomization.yaml", choice)
    for file in ("account.env", "environment.env"):
        keys = environment(own / file)
        (own / file).write_text("".join(f"{key}={values.get(key, keys[key])}\n" for key in keys))
    text = kustomize(own)
    return Rendered(overlay, text, [each for each in yaml.safe_load_all(text) if each], values)


def secret(rendered: Rendered, name: str, values: dict[str, dict[str, str]]) -> dict[str, str]:
    """A Secret, as External Secrets makes it from what the account has."""
    spec: Object = next(each for each in rendered.kind("ExternalSecret") if each["metadata"]["name"] == name)["spec"]
    if "data" in spec:
        return {each["secretKey"]: values[each["remoteRef"]["key"]][each["remoteRef"]["property"]] for each in spec["data"]}
    found = values[spec["dataFrom"][0]["extract"]["key"]]
    made = {}
    for key, template in spec["target"]["template"]["data"].items():
        for text, local in TLS:
            template = template.replace(text, local)
        template = re.sub(r"\{\{\s*\"([^\"]*)\"\s*\}\}", r"\1", template)
        template = re.sub(r"\{\{\s*\.(\w+) \| urlquery\s*\}\}", lambda match: quote_plus(found[match[1]]), template)
        text = re.sub(r"\{\{\s*\.(\w+)\s*\}\}", lambda match: found[match[1]], template)
        # A server without a password refuses one, even if it is empty.
        made[key] = text.replace("://:@", "://")
    return made


class Running:
    """A pod's process, with the environment and the files that its container would have."""

    def __init__(self, binary: str, rendered: Rendered, pod: Pod, values: dict[str, dict[str, str]], folder: Path,
                 others: dict[str, str] | None = None) -> None:
        self.name = str(pod)
        found: dict[str, str] = {name: os.environ[name] for name in AWS}
        for source in pod.container.get("envFrom", []):
            if "configMapRef" in source:
                config = rendered.named("ConfigMap", source["configMapRef"]["name"])
                assert config, source
                found |= config["data"]
            else:
                found |= secret(rendered, source["secretRef"]["name"], values)
        found |= {each["name"]: each["value"] for each in pod.container.get("env", [])} | (others or {})
        for volume in (each for each in pod.spec.get("volumes", []) if "secret" in each):
            mount = next(each["mountPath"] for each in pod.container["volumeMounts"] if each["name"] == volume["name"])
            place = folder / pod.owner["metadata"]["name"] / volume["name"]
            place.mkdir(parents=True)
            for key, text in secret(rendered, volume["secret"]["secretName"], values).items():
                (place / key).write_text(text)
            found = {name: text.replace(mount, str(place)) for name, text in found.items()}
        self.health, self.http = free_port(), free_port()
        found |= {"HEALTH_ADDR": f"127.0.0.1:{self.health}"}
        if any(port["name"] == "http" for port in pod.container.get("ports", [])):
            found |= {"HTTP_ADDR": f"127.0.0.1:{self.http}"}
        self.log = folder / f"{pod.owner['metadata']['name']}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([binary, *pod.container["args"]], env=found, stdout=log, stderr=log)

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended:\n{self.log.read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def address(variable: str) -> tuple[str, str]:
    """Host and port of a server of the local stack."""
    parts: Any = urlsplit(os.environ[variable])
    return parts.hostname, str(parts.port)
