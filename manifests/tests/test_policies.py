"""Every rule holds of every overlay with every choice of hosts, and notices when it is broken."""

from typing import Any, Callable

import pytest

from policies import RULES
from policies.functions import SECRETS
from render import MANIFESTS, OVERLAYS, Rendered, environment, pod_template

from breakages import BREAKAGES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_holds(rendered: Rendered, rule: Callable[[Rendered], Any]) -> None:
    assert list(rule(rendered)) == []


@pytest.mark.parametrize(("rule", "what", "change"), BREAKAGES, ids=[f"{rule}-{what}" for rule, what, _ in BREAKAGES])
def test_notices(rule: str, what: str, change: Callable[[Rendered], None]) -> None:
    """In `production` with Lambdas where they can be, and pods elsewhere."""
    broken = Rendered.of("production", "lambdas" if what.startswith("lambda") else "pods").broken()
    change(broken)
    assert list({each.__name__: each for each in RULES}[rule](broken)), f"{rule} does not notice: {what}"


def test_every_rule_was_broken() -> None:
    assert {rule for rule, _, _ in BREAKAGES} == {rule.__name__ for rule in RULES}


def test_environments_have_the_same_values() -> None:
    for file in ("account.env", "environment.env", "rate-limits.env"):
        keys = [set(environment(MANIFESTS / "overlays" / overlay / file)) for overlay in OVERLAYS]
        assert keys[0] == keys[1], file


def test_hosts_differ() -> None:
    """The choices are not all the same, as they would be if the line of a host were not found."""
    pods, lambdas = (Rendered.of("production", choice) for choice in ("pods", "lambdas"))
    assert not pods.kind("Function")
    for function in lambdas.kind("Function"):
        name = function["metadata"]["name"]
        assert pods.named("Deployment", name)
        for kind in ("Deployment", "ScaledObject", "PodDisruptionBudget", "ConfigMap"):
            assert not lambdas.named(kind, name), f"{kind} {name}"
    assert lambdas.kind("Function")


#: How a Lambda reaches what a pod has by files and Secrets, and where its metrics go.
OF_LAMBDAS = {*SECRETS, *SECRETS.values(), "DATABASE_TRANSACTION_POOLING", "DATABASE_MAX_CONNECTIONS", "METRICS_NAMESPACE"}


def test_settings_are_the_same_in_both_hosts() -> None:
    pods, lambdas = (Rendered.of("production", choice) for choice in ("pods", "lambdas"))
    for function in lambdas.kind("Function"):
        name = function["metadata"]["name"]
        deployment = pods.named("Deployment", name)
        assert deployment
        config = pod_template(deployment)["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"]
        variables = function["spec"]["environment"]["variables"].items()
        settings = {setting: value for setting, value in variables if setting not in OF_LAMBDAS}
        common = pods.named("ConfigMap", config)["data"].items()
        assert settings == {setting: value for setting, value in common if setting not in OF_LAMBDAS}, name


def test_a_changed_setting_rolls_the_pods() -> None:
    """The name of a ConfigMap has a hash of its content."""
    rendered = Rendered.of("production")
    for config in rendered.kind("ConfigMap"):
        assert config["metadata"]["name"][-11] == "-", config["metadata"]["name"]
