"""Renders overlays with kustomize, as they are and with other hosts for the functions."""

import copy
import functools
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator

import yaml

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "manifests"
OVERLAYS = ["dev", "production"]
KUBECTL = os.environ.get("KUBECTL", "kubectl")

#: `committed`: the hosts that the overlay has. The others: every function that can be there, is there.
CHOICES = ["committed", "pods", "lambdas"]
HOST_LINE = re.compile(r"^  - \.\./\.\./components/(pods|lambdas)/([a-z-]+)$", re.MULTILINE)

Object = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The objects of an overlay, and the values that made them."""

    overlay: str
    text: str
    objects: list[Object]
    values: dict[str, str]

    @staticmethod
    @functools.cache
    def of(overlay: str, choice: str = "committed") -> "Rendered":
        with tempfile.TemporaryDirectory() as folder:
            manifests = Path(folder) / "manifests"
            shutil.copytree(MANIFESTS, manifests, ignore=shutil.ignore_patterns("tests", "__pycache__"))
            choose(manifests / "overlays" / overlay / "kustomization.yaml", choice)
            text = kustomize(manifests / "overlays" / overlay)
        objects = [each for each in yaml.safe_load_all(text) if each]
        return Rendered(overlay, text, objects, values(overlay))

    def kind(self, *kinds: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object | None:
        return next((each for each in self.kind(kind) if each["metadata"]["name"] == name), None)

    def broken(self) -> "Rendered":
        """A copy that a test may break."""
        return Rendered(self.overlay, self.text, copy.deepcopy(self.objects), dict(self.values))


def choose(kustomization: Path, choice: str) -> None:
    """Changes the line of each function that has the other host, as a person would."""

    def line(match: re.Match[str]) -> str:
        other = f"../../components/{choice}/{match[2]}"
        return f"  - {other}" if (kustomization.parent / other).is_dir() else match[0]

    text = kustomization.read_text()
    if not HOST_LINE.search(text):
        raise AssertionError(f"{kustomization} chooses no host")
    if choice != "committed":
        kustomization.write_text(HOST_LINE.sub(line, text))


def kustomize(folder: Path) -> str:
    done = subprocess.run([KUBECTL, "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise AssertionError(f"kustomize {folder.name}: {done.stderr}")
    return done.stdout


def values(overlay: str) -> dict[str, str]:
    """The values of an environment: of its account, and of its owner."""
    folder = MANIFESTS / "overlays" / overlay
    return environment(folder / "account.env") | environment(folder / "environment.env")


def environment(file: Path) -> dict[str, str]:
    lines = (line for line in file.read_text().splitlines() if line and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def pod_template(owner: Object) -> Object:
    spec = owner["spec"]
    if owner["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]


@dataclass(frozen=True)
class Pod:
    """A pod that an object makes."""

    owner: Object
    template: Object

    def __str__(self) -> str:
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

    @property
    def spec(self) -> Object:
        return self.template["spec"]

    @property
    def labels(self) -> dict[str, str]:
        return self.template["metadata"]["labels"]

    @property
    def container(self) -> Object:
        return self.spec["containers"][0]

    @property
    def containers(self) -> list[Object]:
        return self.spec["containers"] + self.spec.get("initContainers", [])


def pods(rendered: Rendered) -> Iterator[Pod]:
    for owner in rendered.kind("Deployment", "Job", "CronJob"):
        yield Pod(owner, pod_template(owner))


def settings_of(rendered: Rendered, pod: Pod) -> dict[str, str]:
    """The environment of a pod's container; of a secret only the keys."""
    found: dict[str, str] = {}
    for source in pod.container.get("envFrom", []):
        if "configMapRef" in source:
            config = rendered.named("ConfigMap", source["configMapRef"]["name"]) or {}
            found |= config.get("data", {})
        else:
            secret = rendered.named("ExternalSecret", source["secretRef"]["name"])
            found |= dict.fromkeys(secret_keys(secret) if secret else [], "")
    for each in pod.container.get("env", []):
        found[each["name"]] = each.get("value", "")
    return found


def secret_keys(secret: Object) -> list[str]:
    spec = secret["spec"]
    template = spec["target"].get("template", {}).get("data", {})
    return list(template) or [each["secretKey"] for each in spec.get("data", [])]
