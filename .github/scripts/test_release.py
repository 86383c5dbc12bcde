"""What the workflows read of this repository."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(__file__).parent


def run(script: str, *arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([SCRIPTS / script, *arguments], cwd=cwd, check=False, capture_output=True, text=True, timeout=60)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for overlay in ("dev", "production"):
        folder = tmp_path / "manifests/overlays" / overlay
        folder.mkdir(parents=True)
        for file in ("account.env", "kustomization.yaml"):
            (folder / file).write_text((ROOT / folder.relative_to(tmp_path) / file).read_text())
    return tmp_path


def release(letter: str, commit: str = "b") -> str:
    return f"digest: sha256:{letter * 64} # {commit * 40}"


def test_reads_what_dev_has_and_where_it_goes(repository: Path) -> None:
    file = repository / "manifests/overlays/dev/kustomization.yaml"
    digests = iter("ad")
    file.write_text(re.sub(r"digest: .*", lambda _: release(next(digests)), file.read_text()))
    done = run("read-release", "dev", "production", cwd=repository)
    assert done.returncode == 0, done.stderr
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert (found["DIGEST"], found["BACKUP_DIGEST"], found["COMMIT"]) == (f"sha256:{'a' * 64}", f"sha256:{'d' * 64}", "b" * 40)
    for prefix, overlay in (("FROM", "dev"), ("TO", "production")):
        text = (repository / "manifests/overlays" / overlay / "account.env").read_text()
        account = dict(line.split("=", 1) for line in text.splitlines())
        assert found[prefix] == account["REPOSITORY_URI"]
        assert found[f"BACKUP_{prefix}"] == account["BACKUP_REPOSITORY_URI"]
        assert (found[f"{prefix}_ACCOUNT"], found[f"{prefix}_REGION"]) == (account["ACCOUNT"], account["REGION"])


def test_an_overlay_without_a_release_has_nothing_to_promote(repository: Path) -> None:
    file = repository / "manifests/overlays/dev/kustomization.yaml"
    file.write_text(re.sub(r"digest: .*", f"digest: sha256:{'0' * 64}", file.read_text()))
    done = run("read-release", "dev", "production", cwd=repository)
    assert (done.returncode, done.stderr) == (1, "read-release: dev has no release\n")


def test_half_a_release_is_not_promoted(repository: Path) -> None:
    file = repository / "manifests/overlays/dev/kustomization.yaml"
    commits = iter("bc")
    file.write_text(re.sub(r"digest: .*", lambda _: release("a", next(commits)), file.read_text()))
    done = run("read-release", "dev", "production", cwd=repository)
    assert (done.returncode, done.stderr) == (1, "read-release: dev has no release\n")


@pytest.mark.parametrize(("tag", "expected"), [("v1.1.0", "\n### Added\n- New.\n"), ("v1.0.0", "\n- First.\n")])
def test_notes_are_the_section_of_the_version(tmp_path: Path, tag: str, expected: str) -> None:
    text = "# Changelog\n\n## Unreleased\n\n- Later.\n\n## 1.1.0 - 2026-02-01\n\n### Added\n- New.\n\n## [1.0.0]\n\n- First.\n"
    (tmp_path / "CHANGELOG.md").write_text(text)
    assert run("release-notes", tag, cwd=tmp_path).stdout == expected


@pytest.mark.parametrize("tag", ["v2.0.0", "v1", "v1.0", "v1.2.0"])
def test_a_version_without_notes_is_no_release(tmp_path: Path, tag: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0\n\n## 1.0.0\n\n- First.\n")
    assert run("release-notes", tag, cwd=tmp_path).returncode == 1


def jobs_with_roles() -> list[tuple[str, dict, str]]:
    """Each job, and a role of AWS that it takes."""
    jobs = [(f"{file.stem} {name}", job) for file in (ROOT / ".github/workflows").glob("*.yml")
            for name, job in yaml.safe_load(file.read_text())["jobs"].items()]
    roles = [(name, job, re.findall(r":role/task-app-([a-z-]+)", str(job))) for name, job in jobs]
    return [(name, job, role) for name, job, found in roles for role in sorted(set(found))]


def test_each_job_may_take_its_role() -> None:
    """cdk/ trusts a role to a branch, to pull requests, or to an environment, which the job must have."""
    source = (ROOT / "cdk/lib/delivery/github.ts").read_text()
    subjects = dict(re.findall(r'^  "?([a-z-]+)"?: \{\n.*?subject: [^`]*`([^`]*)`', source, re.MULTILINE | re.DOTALL))
    assert {role for _, _, role in jobs_with_roles()} == set(subjects)
    for name, job, role in jobs_with_roles():
        assert (":environment:" in subjects[role]) == ("environment" in job), f"{name}: {subjects[role]}"
        assert job["permissions"]["id-token"] == "write", name


def test_images_nodes_and_lambdas_have_one_architecture() -> None:
    """An image is one manifest, which Lambda needs, and so of one architecture."""
    runner = yaml.safe_load((ROOT / ".github/workflows/cd-app.yml").read_text())["jobs"]["image"]["runs-on"]
    is_arm = runner.endswith("-arm")
    files = (ROOT / "manifests/components/lambdas").glob("*/function.yaml")
    specs = [yaml.safe_load(file.read_text())["spec"] for file in files]
    # Without an image it is a patch of those that have one.
    functions = [spec for spec in specs if "packageType" in spec]
    assert functions
    for function in functions:
        assert function["architectures"] == ["arm64" if is_arm else "x86_64"], function["name"]
    for file in ("dev.ts", "production.ts"):
        types = re.search(r"nodeTypes: \[([^]]+)\]", (ROOT / "cdk/config" / file).read_text())
        assert types, file
        for name in re.findall(r'"([^"]+)"', types[1]):
            # Graviton: a `g` behind the generation, as in m7g or c7gn.
            assert bool(re.match(r"[a-z]+\d+g", name)) == is_arm, f"{file}: {name}"


def test_pull_requests_build_the_images_on_both_architectures() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["image"]
    assert job["strategy"]["matrix"]["runner"] == ["ubuntu-24.04", "ubuntu-24.04-arm"]
