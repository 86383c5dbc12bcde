"""What ArgoCD installs, in which order, and with which rights; and how it knows that something works."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from lupa import LuaRuntime

from policies.account import leaves
from policies.scaling import SCALERS, target
from render import CHOICES, MANIFESTS, OVERLAYS, ROOT, Object, Rendered, kustomize, pods
from test_schemas import VERSIONS, mistakes, needs_schemas, validate

ARGOCD = MANIFESTS / "argocd"
WAVE = "argocd.argoproj.io/sync-wave"


@pytest.fixture(scope="module", params=OVERLAYS)
def objects(request: pytest.FixtureRequest) -> list[Object]:
    return [*yaml.safe_load_all(kustomize(ARGOCD / "overlays" / request.param))]


def named(objects: list[Object], kind: str, name: str) -> Object:
    return next(each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)


def applications(objects: list[Object]) -> list[Object]:
    return [each for each in objects if each["kind"] == "Application"]


@needs_schemas
def test_schemas(objects: list[Object]) -> None:
    assert [mistake for each in objects if each["kind"] != "StorageClass" for mistake in mistakes(each)] == []
    broken = named(objects, "Application", "keda")
    assert mistakes(broken | {"spec": broken["spec"] | {"syncPolicies": {}}})


@pytest.mark.parametrize("version", VERSIONS)
def test_volumes_have_a_class_and_are_encrypted(objects: list[Object], version: str, tmp_path: Path) -> None:
    (found,) = [each for each in objects if each["kind"] == "StorageClass"]
    (tmp_path / "class.yaml").write_text(yaml.safe_dump(found))
    known, done = validate(tmp_path / "class.yaml", version)
    assert (known, done.returncode) == ({"StorageClass"}, 0), done.stderr
    assert found["parameters"]["encrypted"] == "true"
    assert found["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    volumes = [each for pod in pods(Rendered.of("production")) for each in pod.spec.get("volumes", []) if "ephemeral" in each]
    classes = {each["ephemeral"]["volumeClaimTemplate"]["spec"]["storageClassName"] for each in volumes}
    assert classes == {found["metadata"]["name"]}


def test_every_value_of_the_account_reaches_its_place(objects: list[Object]) -> None:
    assert [path for each in objects for path, value in leaves(each, "") if value in ("account", "overlay")] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_values_are_those_of_the_overlay(overlay: str) -> None:
    """kustomize reads no file above its own folder, so there are two of them."""
    copy, original = (folder / "overlays" / overlay / "account.env" for folder in (ARGOCD, MANIFESTS))
    assert copy.read_text() == original.read_text()


def test_charts_are_pinned(objects: list[Object]) -> None:
    sources = [each["spec"]["source"] for each in applications(objects)]
    assert [each for each in sources if "chart" in each and not re.fullmatch(r"\d+\.\d+\.\d+", each["targetRevision"])] == []


def test_what_is_in_this_repository_exists(objects: list[Object]) -> None:
    paths = [each["spec"]["source"]["path"] for each in applications(objects) if "path" in each["spec"]["source"]]
    assert len(paths) == 2
    assert [path for path in paths if not (ROOT / path / "kustomization.yaml").is_file()] == []


def test_every_application_keeps_itself_as_git_is(objects: list[Object]) -> None:
    for each in applications(objects):
        policy = each["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True}
        assert policy["retry"]["limit"] > 0


def test_projects_allow_what_is_there_and_no_more(objects: list[Object]) -> None:
    for project in (named(objects, "AppProject", name) for name in ("task-app", "platform")):
        own = [each["spec"] for each in applications(objects) if each["spec"]["project"] == project["metadata"]["name"]]
        assert sorted(project["spec"]["sourceRepos"]) == sorted({each["source"]["repoURL"] for each in own})
        allowed = {each["namespace"] for each in project["spec"]["destinations"]}
        assert allowed == {each["destination"]["namespace"] for each in own}


def test_the_project_of_the_functions_allows_their_kinds_and_no_more(objects: list[Object]) -> None:
    spec = named(objects, "AppProject", "task-app")["spec"]
    allowed = {(each["group"], each["kind"]) for each in spec["namespaceResourceWhitelist"] + spec["clusterResourceWhitelist"]}
    rendered = [each for overlay in OVERLAYS for choice in CHOICES for each in Rendered.of(overlay, choice).objects]
    assert allowed == {(each["apiVersion"].rpartition("/")[0], each["kind"]) for each in rendered}


def test_self_heal_leaves_replicas_to_their_scalers(objects: list[Object]) -> None:
    spec = named(objects, "Application", "task-app")["spec"]
    ignored = {each["name"] for each in spec["ignoreDifferences"] if each["jsonPointers"] == ["/spec/replicas"]}
    scaled = {target(each) for each in Rendered.of("production", "pods").kind(*SCALERS)}
    assert ignored == scaled
    assert "RespectIgnoreDifferences=true" in spec["syncPolicy"]["syncOptions"]


def test_waves_put_what_is_needed_first(objects: list[Object]) -> None:
    waves = {each["metadata"]["name"]: int(each["metadata"]["annotations"][WAVE])
             for each in objects if each["metadata"]["name"] != "root" and each["kind"] == "Application"}
    for operator in ("keda", "external-secrets", "load-balancer-controller", "ack-elbv2", "ack-lambda"):
        assert waves[operator] < waves["task-app"]
    # Grafana's secret is made by one, and the definition of the others' monitors comes with the other.
    assert waves["external-secrets"] < waves["observability"] < waves["logging"]
    assert waves["observability"] < waves["task-app"]


def health(kind: str, thing: dict[str, Any]) -> str:
    """Runs the check of a kind as ArgoCD does: Lua, with the object as `obj`."""
    values = yaml.safe_load((ARGOCD / "values.yaml").read_text())
    script = values["configs"]["cm"][f"resource.customizations.health.{kind}"]
    lua = LuaRuntime(unpack_returned_tuples=True)
    lua.globals()["obj"] = lua.table_from(thing, recursive=True)
    return lua.execute(script)["status"]


def conditions(**states: str) -> dict[str, Any]:
    return {"status": {"conditions": [{"type": f"ACK.{name}", "status": state} for name, state in states.items()]}}


@pytest.mark.parametrize("kind", ["lambda.services.k8s.aws_Alias", "lambda.services.k8s.aws_EventSourceMapping",
                                  "lambda.services.k8s.aws_Function", "elbv2.services.k8s.aws_TargetGroup"])
@pytest.mark.parametrize(("thing", "expected"), [
    ({}, "Progressing"),
    ({"status": {}}, "Progressing"),
    (conditions(ResourceSynced="False"), "Progressing"),
    (conditions(ResourceSynced="False", Recoverable="True"), "Progressing"),
    (conditions(ResourceSynced="True"), "Healthy"),
    (conditions(ResourceSynced="True", Terminal="True"), "Degraded"),
    (conditions(Terminal="False", ResourceSynced="True"), "Healthy"),
])
def test_lambdas_are_healthy_once_aws_has_them(kind: str, thing: dict[str, Any], expected: str) -> None:
    assert health(kind, thing) == expected


@pytest.mark.parametrize(("thing", "expected"), [
    ({}, "Progressing"),
    ({"status": {"health": {}}}, "Progressing"),
    ({"status": {"health": {"status": "Degraded"}}}, "Degraded"),
    ({"status": {"health": {"status": "Healthy"}}}, "Healthy"),
])
def test_a_wave_waits_for_its_applications(thing: dict[str, Any], expected: str) -> None:
    assert health("argoproj.io_Application", thing) == expected
