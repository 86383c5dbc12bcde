"""What ArgoCD makes of the charts with our values: it renders, fits its schemas, and has the identities of cdk/.

`CHARTS` names a folder with the charts in their pinned versions, as `.github/scripts/pull-charts` fetches them, or
as folders. Without it, or without Helm, charts are NOT CHECKED.
"""

import atexit
import copy
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from render import MANIFESTS, OVERLAYS, ROOT, Object, environment, kustomize
from test_schemas import SCHEMAS, VERSIONS, mistakes, schema_of, validate

CHARTS = os.environ.get("CHARTS")
HELM = os.environ.get("HELM", "helm")
needs_charts = pytest.mark.skipif(not CHARTS or not shutil.which(HELM), reason="NOT CHECKED: charts; CHARTS=<folder> names them")
ROLE = "eks.amazonaws.com/role-arn"

@functools.cache
def applications(overlay: str) -> dict[str, Object]:
    objects = yaml.safe_load_all(kustomize(MANIFESTS / "argocd/overlays" / overlay))
    return {each["metadata"]["name"]: each["spec"] for each in objects
            if each["kind"] == "Application" and "chart" in each["spec"]["source"]}


NAMES = sorted(applications("dev"))
each_chart = pytest.mark.parametrize("name", NAMES)


@functools.cache
def place(chart: str, version: str) -> Path:
    """A folder with the chart, in the version that is pinned."""
    assert CHARTS
    folder = Path(CHARTS) / chart
    archive = Path(CHARTS) / f"{chart}-{version}.tgz"
    if archive.is_file():
        parent = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, parent)
        shutil.unpack_archive(archive, parent, filter="data")
        folder = parent / chart
    assert folder.is_dir(), f"neither {archive} nor {folder}"
    there = yaml.safe_load((folder / "Chart.yaml").read_text())["version"]
    assert there == version, f"{folder} is {there}"
    return folder


def place_of(source: Object) -> Path:
    return place(source["chart"], source["targetRevision"])


@functools.cache
def rendered(overlay: str, name: str) -> list[Object]:
    return render(overlay, name)


def render(overlay: str, name: str) -> list[Object]:
    spec = applications(overlay)[name]
    source = spec["source"]
    command = [HELM, "template", source["helm"]["releaseName"], str(place_of(source)), "--values", "-", "--skip-tests",
               "--namespace", spec["destination"]["namespace"], "--kube-version", VERSIONS[0],
               # What a cluster has by then: the definitions come with `observability`, in an earlier wave.
               *(["--api-versions", "monitoring.coreos.com/v1"] if name == "logging" else [])]
    done = subprocess.run(command, input=yaml.safe_dump(source["helm"]["valuesObject"]), check=False, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    objects = [each for each in yaml.load_all(done.stdout, yaml.CSafeLoader) if each]
    return [item for each in objects for item in (each["items"] if each["kind"] == "List" else [each])]


@needs_charts
@pytest.mark.parametrize("overlay", OVERLAYS)
@each_chart
def test_renders_and_fits_its_schemas(overlay: str, name: str, tmp_path: Path) -> None:
    objects = [each for each in rendered(overlay, name) if each["kind"] != "CustomResourceDefinition"]
    assert objects
    (tmp_path / "rendered.yaml").write_text(yaml.safe_dump_all(objects))
    known, done = validate(tmp_path / "rendered.yaml", VERSIONS[0])
    assert done.returncode == 0, done.stderr + done.stdout
    if SCHEMAS:
        custom = [each for each in objects if each["kind"] not in known]
        found = [each for each in custom if schema_of(*each["apiVersion"].split("/"), each["kind"])]
        assert [mistake for each in found for mistake in mistakes(each)] == []


@needs_charts
@each_chart
def test_what_is_made_anew_each_time_is_left_as_it_is_in_the_cluster(name: str) -> None:
    """A certificate, for example. Self-heal would replace it for ever."""
    spec = applications("production")[name]
    pairs = [[without_ignored(each, spec.get("ignoreDifferences", [])) for each in pair]
             for pair in zip(rendered("production", name), render("production", name), strict=True)]
    assert [f"{each['kind']} {each['metadata']['name']}" for each, other in pairs if each != other] == []


def without_ignored(each: Object, ignored: list[Object]) -> Object:
    """As ArgoCD compares it. The paths are those that our applications have."""
    each = copy.deepcopy(each)
    for rule in ignored:
        if (rule["kind"], rule["name"]) != (each["kind"], each["metadata"]["name"]):
            continue
        for pointer in rule.get("jsonPointers", []):
            del each[pointer.removeprefix("/")]
        for expression in rule.get("jqPathExpressions", []):
            assert expression == ".webhooks[]?.clientConfig.caBundle"
            for webhook in each["webhooks"]:
                del webhook["clientConfig"]["caBundle"]
    return each


def unknown(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Values that we set and the chart does not have. What is empty there may have any keys."""
    if not isinstance(ours, dict) or not isinstance(theirs, dict) or not theirs:
        return []
    missing = [f"{path}{key}" for key in ours if key not in theirs]
    return missing + [found for key in ours if key in theirs for found in unknown(ours[key], theirs[key], f"{path}{key}.")]


def defaults(folder: Path) -> dict[str, Any]:
    """The values of a chart, and below their names those of the charts in it."""
    found = yaml.safe_load((folder / "values.yaml").read_text()) or {}
    for inner in (each.parent for each in folder.glob("charts/*/Chart.yaml")):
        found[inner.name] = merged(defaults(inner), found.get(inner.name) or {})
    return found


def merged(under: Any, over: Any) -> Any:
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: merged(under.get(key), value) for key, value in over.items()}


@needs_charts
@each_chart
def test_every_value_is_one_that_the_chart_has(name: str) -> None:
    """Helm drops others without a word."""
    source = applications("dev")[name]["source"]
    theirs = defaults(place_of(source))
    assert unknown(source["helm"]["valuesObject"], theirs) == []
    assert unknown({"misspelled": 1}, theirs) == ["misspelled"]


@needs_charts
@pytest.mark.parametrize("overlay", OVERLAYS)
@each_chart
def test_roles_of_aws_reach_the_service_accounts_that_they_trust(overlay: str, name: str) -> None:
    """cdk/ trusts a role to one service account by its name."""
    source = (ROOT / "cdk/lib/identity/controllers.ts").read_text()
    trusted = re.findall(r'"?([a-z0-9-]+)"?: \{ namespace: "([^"]+)", serviceAccount: "([^"]+)" \}', source)
    assert len(trusted) > 5
    values = environment(MANIFESTS / "overlays" / overlay / "account.env")
    expected = {(namespace, account): values[f"ROLE_ARN_{role.replace('-', '_').upper()}"] for role, namespace, account in trusted}
    with_roles = {(each["metadata"]["namespace"], each["metadata"]["name"]): each["metadata"]["annotations"][ROLE]
                  for each in rendered(overlay, name)
                  if each["kind"] == "ServiceAccount" and ROLE in (each["metadata"].get("annotations") or {})}
    assert with_roles.items() <= expected.items()
    assert len(with_roles) == (0 if name == "observability" else 1)


@needs_charts
def test_fluent_bit_is_scraped() -> None:
    (monitor,) = [each for each in rendered("production", "logging") if each["kind"] == "ServiceMonitor"]
    (service,) = [each for each in rendered("production", "logging") if each["kind"] == "Service"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()


@needs_charts
def test_prometheus_is_what_the_functions_expect() -> None:
    """It looks at what any namespace asks for; the dashboard names its data source, and network policies its namespace."""
    objects = rendered("production", "observability")
    (prometheus,) = [each for each in objects if each["kind"] == "Prometheus"]
    for selector in ("podMonitor", "podMonitorNamespace", "rule", "ruleNamespace"):
        assert prometheus["spec"][f"{selector}Selector"] == {}, selector
    assert prometheus["metadata"]["namespace"] == "observability"
    sources = [yaml.safe_load(text) for each in objects if each["kind"] == "ConfigMap"
               for key, text in each["data"].items() if key == "datasource.yaml"]
    dashboard = json.loads((MANIFESTS / "components/monitoring/dashboard.json").read_text())
    used = {panel["datasource"]["uid"] for panel in dashboard["panels"] if "datasource" in panel}
    assert used <= {each["uid"] for source in sources for each in source["datasources"]}
