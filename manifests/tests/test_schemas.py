"""Every object fits its schema: of the cluster's Kubernetes, of the next, and of its custom resource."""

import functools
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from render import ROOT, Object, Rendered

#: The cluster's version, and the one that it will be updated to.
VERSIONS = ["1.36.0", "1.37.0"]
#: A folder of definitions; without one, custom resources are NOT CHECKED.
SCHEMAS = os.environ.get("CRD_SCHEMAS")
needs_schemas = pytest.mark.skipif(not SCHEMAS, reason="NOT CHECKED: custom resources; CRD_SCHEMAS=<folder> names definitions")


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes(rendered: Rendered, version: str, tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(rendered.text)
    known, done = validate(file, version)
    assert done.returncode == 0, done.stderr + done.stdout
    without = {each["kind"] for each in rendered.objects} - known
    assert without <= CUSTOM, f"no schema for {without - CUSTOM}"


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_notices_a_misspelled_field(version: str, tmp_path: Path) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(Rendered.of("dev").text.replace("readinessProbe:", "readynessProbe:", 1))
    _, done = validate(file, version)
    assert done.returncode != 0


def validate(file: Path, version: str) -> tuple[set[str], "subprocess.CompletedProcess[str]"]:
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", "--kubernetes-version", version, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    lines = done.stdout + done.stderr
    unknown = set(re.findall(r"Couldn't find schema for kind (\w+)", lines))
    return {each["kind"] for each in yaml.safe_load_all(file.read_text()) if each} - unknown, done


#: What is not of Kubernetes itself.
CUSTOM = {"Alias", "EventSourceMapping", "ExternalSecret", "Function", "PodMonitor", "PrometheusRule", "ScaledObject", "SecretStore",
          "TargetGroup", "TriggerAuthentication"}
#: For what a folder may lack.
OWN = Path(__file__).with_name("schemas")


class Loader(yaml.CSafeLoader):
    """A plain `=` is a string, as in YAML 1.2, which Kubernetes reads."""


Loader.yaml_implicit_resolvers = {key: each for key, each in Loader.yaml_implicit_resolvers.items() if key != "="}


@functools.cache
def schema_of(group: str, version: str, kind: str) -> dict[str, Any] | None:
    """From a definition as its project has it, or from a JSON Schema as the catalogues have them."""
    assert SCHEMAS
    kind = kind.lower()
    for file in Path(SCHEMAS).glob(f"{group}_{kind}*.yaml"):
        definition = yaml.load(file.read_text(), Loader)["spec"]
        for each in definition["versions"]:
            if (definition["names"]["kind"].lower(), each["name"]) == (kind, version):
                return closed(each["schema"]["openAPIV3Schema"])
    for file in (Path(SCHEMAS, f"{group}_{kind}_{version}.json"), Path(SCHEMAS, f"{group}/{kind}_{version}.json"),
                 OWN / f"{group}_{kind}_{version}.json"):
        if file.is_file():
            return closed(yaml.load(file.read_text(), Loader))
    return None


def closed(schema: Any) -> Any:
    """Refuses what a cluster would drop without a word: fields that a definition does not list."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(each) for key, each in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


def mistakes(each: Object) -> list[str]:
    group, _, version = each["apiVersion"].partition("/")
    schema = schema_of(group, version, each["kind"])
    if schema is None:
        return [f"no schema of {each['apiVersion']} {each['kind']} in {SCHEMAS}"]
    # What every object has, and definitions only name.
    own = {key: value for key, value in schema.items() if key != "properties"}
    own["properties"] = schema["properties"] | {"metadata": {"type": "object"}}
    found = jsonschema.Draft202012Validator(own).iter_errors(each)
    return [f"{each['kind']} {each['metadata']['name']}: {error.json_path}: {error.message}" for error in found]


@needs_schemas
def test_custom_resources(rendered: Rendered) -> None:
    custom = [each for each in rendered.objects if each["kind"] in CUSTOM]
    assert custom
    assert [mistake for each in custom for mistake in mistakes(each)] == []


@needs_schemas
def test_custom_resources_notice_a_misspelled_field() -> None:
    for kind in CUSTOM:
        for choice in ("pods", "lambdas"):
            for each in Rendered.of("dev", choice).broken().kind(kind):
                each["spec"]["misspelled"] = 1
                assert mistakes(each), f"{kind}"


def test_the_cluster_has_the_first_of_these_versions() -> None:
    settings = ROOT / "cdk" / "config"
    for file in [settings / "dev.ts", settings / "production.ts"]:
        version = re.search(r"cluster: \{\s*version: \"([0-9.]+)\"", file.read_text())
        assert version and f"{version[1]}.0" == VERSIONS[0], file.name
