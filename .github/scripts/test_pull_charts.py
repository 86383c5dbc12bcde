"""The script against a repository of charts on this machine; registries are not tried."""

import os
import re
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Iterator

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("pull-charts")
TOOLS = ROOT / ".local/kubectl/tools"
APPLICATION = """
kind: Application
spec:
  source:
    repoURL: {url}
    chart: {chart}
    targetRevision: {version}
"""
OURS = """
kind: Application
spec:
  source:
    repoURL: https://github.com/example/task-app
    targetRevision: main
    path: overlay
"""
HELM = """#!/bin/sh
chart=${2##*/}
while [ $# -gt 1 ]; do
    case $1 in --version) version=$2 ;; --destination) folder=$2 ;; esac
    shift
done
touch "$folder/$chart-$version.tgz"
"""
ENVIRONMENT = os.environ | {"PATH": f"{TOOLS}:{os.environ['PATH']}"}


def run(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(each) for each in command], cwd=cwd, env=ENVIRONMENT, check=False, capture_output=True,
                          text=True, timeout=120)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A repository with two charts."""
    folder = tmp_path / "repository"
    for name, version in (("first", "1.0.0"), ("second", "2.1.0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: {version}\n")
        assert run("helm", "package", tmp_path / name, "--destination", folder, cwd=tmp_path).returncode == 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    assert run("helm", "repo", "index", folder, "--url", address, cwd=tmp_path).returncode == 0
    yield address
    server.shutdown()


def applications(folder: Path, *texts: str) -> None:
    base = folder / "manifests/argocd/base"
    base.mkdir(parents=True)
    for number, text in enumerate(texts):
        (base / f"{number}.yaml").write_text(text)


def test_fetches_each_chart_in_its_version(url: str, tmp_path: Path) -> None:
    applications(tmp_path, APPLICATION.format(url=url, chart="first", version="1.0.0"), OURS,
                 APPLICATION.format(url=url, chart="second", version="2.1.0"))
    done = run(SCRIPT, "charts", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {file.name for file in (tmp_path / "charts").iterdir()} == {"first-1.0.0.tgz", "second-2.1.0.tgz"}


def test_a_version_that_is_not_there_fails(url: str, tmp_path: Path) -> None:
    applications(tmp_path, APPLICATION.format(url=url, chart="first", version="1.0.1"))
    assert run(SCRIPT, "charts", cwd=tmp_path).returncode == 1


def test_no_chart_is_a_mistake(tmp_path: Path) -> None:
    applications(tmp_path, OURS)
    assert run(SCRIPT, "charts", cwd=tmp_path).returncode == 1


def test_every_chart_of_this_project_is_asked_for(tmp_path: Path) -> None:
    """Of a Helm that fetches nothing: this machine may not reach the repositories."""
    (tmp_path / "helm").write_text(HELM)
    (tmp_path / "helm").chmod(0o755)
    folder = tmp_path / "charts"
    done = subprocess.run([SCRIPT, folder], cwd=ROOT, env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    base = ROOT / "manifests/argocd/base"
    charts = re.findall(r"^ +chart: (.+)\n +targetRevision: (.+)$", "\n".join(file.read_text() for file in base.glob("*.yaml")), re.MULTILINE)
    assert charts
    assert {file.name for file in folder.iterdir()} == {f"{chart}-{version}.tgz" for chart, version in charts}
