"""The script against a real git remote: a folder on this machine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("set-digest")
OVERLAY = "manifests/overlays/dev/kustomization.yaml"
ENVIRONMENT = os.environ | {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


def run(*command: str | Path, cwd: Path, check: bool = True, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(each) for each in command], cwd=cwd, env=ENVIRONMENT | more, check=check, timeout=120,
                          capture_output=True, text=True)


def digest(letter: str) -> str:
    return f"sha256:{letter * 64}"


def images(letter: str) -> list[str]:
    """As arguments."""
    return [f"task-app={digest(letter)}", f"task-app-backup={backup_digest(letter)}"]


def backup_digest(letter: str) -> str:
    return f"sha256:{(letter + '0') * 32}"


class Repository:
    """A remote, and clones of it. Its overlays are those of this project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.remote = folder / "remote.git"
        run("git", "init", "--quiet", "--bare", "--initial-branch", "main", self.remote, cwd=folder)
        self.work = self.clone("work")
        shutil.copytree(ROOT / "manifests/overlays", self.work / "manifests/overlays")
        self.commits = [self.push(f"feat: {number}") for number in range(3)]

    def clone(self, name: str) -> Path:
        run("git", "clone", "--quiet", self.remote, self.folder / name, cwd=self.folder)
        return self.folder / name

    def push(self, message: str) -> str:
        run("git", "pull", "--quiet", "--rebase", "origin", "main", cwd=self.work, check=False)
        with open(self.work / "source", "a", encoding="utf-8") as source:
            source.write(message + "\n")
        run("git", "add", "--all", cwd=self.work)
        run("git", "commit", "--quiet", "--message", message, cwd=self.work)
        run("git", "push", "--quiet", "origin", "HEAD:main", cwd=self.work)
        return run("git", "rev-parse", "HEAD", cwd=self.work).stdout.strip()

    def set(self, letter: str, commit: str, clone: Path | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        return run(SCRIPT, "dev", commit, *images(letter), cwd=clone or self.work, check=False, **more)

    def line(self) -> str:
        """What it has of the first image, once both were set together."""
        text = run("git", "show", f"main:{OVERLAY}", cwd=self.remote).stdout
        first, second = re.findall(r"digest: (.*)", text)
        letter, commit = first.removeprefix("sha256:")[0], first.partition(" # ")[2]
        assert commit and second == f"{backup_digest(letter)} # {commit}"
        return first

    def subjects(self) -> list[str]:
        return run("git", "log", "--format=%s", "main", cwd=self.remote).stdout.splitlines()

    def hook(self, name: str, script: str, clone: Path | None = None) -> None:
        folder = (clone / ".git" if clone else self.remote) / "hooks"
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_sets_both_lines_at_once_and_says_what_they_are(repository: Repository) -> None:
    before = run("git", "rev-parse", "main", cwd=repository.remote).stdout
    done = repository.set("a", repository.commits[2])
    assert done.returncode == 0, done.stderr
    assert repository.line() == f"{digest('a')} # {repository.commits[2]}"
    shown = run("git", "show", "--numstat", "--format=%B", "main", cwd=repository.remote).stdout
    assert shown.startswith("deploy(dev): feat: 2\n")
    assert f"Image: task-app@{digest('a')}\nImage: task-app-backup@{backup_digest('a')}\nBuilt-From: {repository.commits[2]}" in shown
    assert [line for line in shown.splitlines() if "\t" in line] == [f"2\t2\t{OVERLAY}"]
    assert run("git", "rev-parse", "main~1", cwd=repository.remote).stdout == before


def test_leaves_the_clone_as_it_is(repository: Repository) -> None:
    (repository.work / "source").write_text("changed")
    before = run("git", "status", "--porcelain", "--branch", cwd=repository.work).stdout
    head = run("git", "rev-parse", "HEAD", cwd=repository.work).stdout
    assert repository.set("a", repository.commits[2]).returncode == 0
    assert (repository.work / "source").read_text() == "changed"
    assert run("git", "rev-parse", "HEAD", cwd=repository.work).stdout == head
    assert run("git", "worktree", "list", cwd=repository.work).stdout.count("\n") == 1
    assert before.splitlines()[1:] == run("git", "status", "--porcelain", cwd=repository.work).stdout.splitlines()


@pytest.mark.parametrize("letter", ["a", "b"])
def test_the_same_release_again_changes_nothing(repository: Repository, letter: str) -> None:
    """A build that was repeated has another digest: the first one stays."""
    repository.set("a", repository.commits[2])
    count = len(repository.subjects())
    done = repository.set(letter, repository.commits[2])
    assert (done.returncode, "nothing to do" in done.stdout) == (0, True)
    assert (repository.line(), len(repository.subjects())) == (f"{digest('a')} # {repository.commits[2]}", count)


def test_an_older_release_that_comes_late_changes_nothing(repository: Repository) -> None:
    repository.set("b", repository.commits[1])
    assert repository.set("a", repository.commits[0]).returncode == 0
    assert repository.line() == f"{digest('b')} # {repository.commits[1]}"


@pytest.mark.parametrize("first", [0, 1])
def test_two_releases_race_and_the_newer_one_stays(repository: Repository, first: int) -> None:
    """The other one pushes after this one has fetched, so that its push is refused."""
    other = repository.clone("other")
    mine, theirs = first, 1 - first
    call = f"{SCRIPT} dev {repository.commits[theirs]} {' '.join(images('ab'[theirs]))}"
    once = repository.folder / "once"
    repository.hook("pre-push", f"[ -e {once} ] || {{ touch {once}; cd {other} && env -u GIT_DIR {call} >&2; }}", repository.work)
    done = repository.set("ab"[mine], repository.commits[mine])
    assert done.returncode == 0, done.stderr
    assert once.exists()
    assert repository.line() == f"{digest('b')} # {repository.commits[1]}"


def test_many_at_a_time_lose_nothing(repository: Repository) -> None:
    clones = [repository.clone(f"clone{number}") for number in range(3)]
    running = [subprocess.Popen([SCRIPT, "dev", repository.commits[number], *images("abc"[number])], cwd=clones[number],
                                env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for number in (2, 0, 1)]
    assert [each.wait(timeout=120) for each in running] == [0, 0, 0]
    assert repository.line() == f"{digest('c')} # {repository.commits[2]}"
    assert [subject for subject in repository.subjects() if subject.startswith("feat")] == ["feat: 2", "feat: 1", "feat: 0"]


def test_a_branch_that_moved_keeps_what_moved_it(repository: Repository) -> None:
    other = repository.clone("other")
    once = repository.folder / "once"
    commit = f"cd {other} && unset GIT_DIR && git commit --quiet --allow-empty --message moved && git push --quiet origin HEAD:main"
    repository.hook("pre-push", f"[ -e {once} ] || {{ touch {once}; {commit}; }}", repository.work)
    assert repository.set("a", repository.commits[2]).returncode == 0
    assert repository.subjects()[:2] == ["deploy(dev): feat: 2", "moved"]


def test_a_push_that_is_refused_for_ever_fails(repository: Repository) -> None:
    repository.hook("pre-receive", "exit 1")
    done = repository.set("a", repository.commits[2], ATTEMPTS="3")
    assert (done.returncode, "refused 3 times" in done.stderr) == (1, True)
    assert digest("a") not in run("git", "show", f"main:{OVERLAY}", cwd=repository.remote).stdout


def test_a_revert_is_a_rollback_and_the_next_release_goes_on(repository: Repository) -> None:
    repository.set("a", repository.commits[0])
    repository.set("b", repository.commits[1])
    run("git", "pull", "--quiet", "--rebase", "origin", "main", cwd=repository.work)
    run("git", "revert", "--no-edit", "HEAD", cwd=repository.work)
    run("git", "push", "--quiet", "origin", "HEAD:main", cwd=repository.work)
    assert repository.line() == f"{digest('a')} # {repository.commits[0]}"
    # What is older than the one that was rolled back to stays out; the next one goes on.
    repository.set("c", repository.commits[2])
    assert repository.line() == f"{digest('c')} # {repository.commits[2]}"


@pytest.mark.parametrize("arguments", [
    ["dev", *images("a")],
    ["dev", "HEAD"],
    ["dev", "HEAD", images("a")[0]],
    ["dev", "HEAD", *images("a"), f"other={digest('a')}"],
    ["dev", "HEAD", "task-app=sha256:abc", images("a")[1]],
    ["dev", "HEAD", "task-app=latest", images("a")[1]],
    ["dev", "0" * 40, *images("a")],
    ["../dev", "HEAD", *images("a")],
    ["staging", "HEAD", *images("a")],
])
def test_wrong_arguments_change_nothing(repository: Repository, arguments: list[str]) -> None:
    before = repository.subjects()
    done = run(SCRIPT, *arguments, cwd=repository.work, check=False)
    assert done.returncode == 2, done.stderr
    assert repository.subjects() == before


def test_an_overlay_without_its_line_is_not_guessed_at(repository: Repository) -> None:
    file = repository.work / OVERLAY
    file.write_text(re.sub(r"digest: .*", "newTag: v1", file.read_text(), count=1))
    repository.push("feat: no digest")
    assert repository.set("a", repository.commits[2]).returncode == 2


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_the_overlays_of_this_project_have_the_line(repository: Repository, overlay: str) -> None:
    assert run(SCRIPT, overlay, repository.commits[0], *images("a"), cwd=repository.work, check=False).returncode == 0
