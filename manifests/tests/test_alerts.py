"""Every alert fires where it must and not where it must not, and names a page that helps."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboard import queries
from render import ROOT, Rendered

TESTS = sorted((Path(__file__).parent / "alerts").glob("*.test.yaml"))
RUNBOOKS = ROOT / "docs/runbooks"


def groups() -> list[dict[str, Any]]:
    (rules,) = Rendered.of("production").kind("PrometheusRule")
    return rules["spec"]["groups"]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in groups() for rule in group["rules"] if "alert" in rule]


def metrics(expressions: list[str] | None = None) -> set[str]:
    """The metrics of the functions that the rules name, or others, as the functions call them."""
    names: set[str] = set()
    for expression in expressions or [rule["expr"] for group in groups() for rule in group["rules"]]:
        expression = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(?:by|on|without) \([^)]*\)", "", expression)
        names |= set(re.findall(r"\b[a-z]+_[a-z_]+\b(?![:(])", re.sub(r"task_app:\S+", "", expression)))
    known = {"histogram_quantile"}
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names - known}


def failed(folder: Path, rules: list[dict[str, Any]]) -> set[str]:
    """The alerts whose tests fail with these rules."""
    (folder / "alerts.yaml").write_text(yaml.safe_dump({"groups": rules}))
    for file in TESTS:
        shutil.copy(file, folder)
    done = subprocess.run(["promtool", "test", "rules", *(file.name for file in TESTS)], cwd=folder, check=False,
                          capture_output=True, text=True, timeout=300)
    found = set(re.findall(r"alertname: (\w+)", done.stdout + done.stderr))
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found


def changed(expression: str) -> list[dict[str, Any]]:
    """The rules, with another expression for each alert."""
    rules = yaml.safe_load(yaml.safe_dump(groups()))
    for rule in (rule for group in rules for rule in group["rules"] if "alert" in rule):
        rule["expr"] = expression
    return rules


def test_they_fire_as_they_must(tmp_path: Path) -> None:
    assert failed(tmp_path, groups()) == set()


@pytest.mark.parametrize("expression", ["vector(1) < 0", "vector(1)"], ids=["never", "always"])
def test_one_that_fires_never_or_always_is_noticed(expression: str, tmp_path: Path) -> None:
    assert failed(tmp_path, changed(expression)) == {each["alert"] for each in alerts()}


def test_each_has_a_severity_and_a_runbook() -> None:
    for each in alerts():
        assert each["labels"] == {"severity": each["labels"]["severity"]}
        assert each["labels"]["severity"] in ("page", "ticket"), each["alert"]
        page = each["annotations"]["runbook_url"].rpartition("/")[2]
        assert page == f"{each['alert']}.md"
        assert (RUNBOOKS / page).is_file(), page
    assert {each["alert"] for each in alerts()} == {file.stem for file in RUNBOOKS.iterdir()}


def test_prometheus_understands_the_panels(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": query.expression} for number, query in enumerate(queries())]
    (tmp_path / "panels.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", "panels.yaml"], cwd=tmp_path, check=False, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_functions_have_these_metrics() -> None:
    """By their names in the sources; `make try-pipeline` looks for them in what the functions export."""
    sources = "".join(file.read_text() for folder in ("functions", "shared") for file in (ROOT / folder).glob("*/src/**/*.rs"))
    named = metrics() | metrics([query.expression for query in queries()])
    assert len(named) > 10
    assert {name for name in named if f'"{name}"' not in sources} == set()
