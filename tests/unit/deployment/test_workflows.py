"""What GitHub runs for users of this repository: pinned, with no more rights than needed, and by the project's own verbs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
WORKFLOWS: dict[str, dict[str, Any]] = {file.name: yaml.safe_load(file.read_text()) for file in FILES}
JOBS = [(name, job) for name, one in WORKFLOWS.items() for job in one["jobs"]]
# What a job may be given beyond reading, and by which file.
MORE_RIGHTS = {("plan.yml", "id-token"), ("release.yml", "packages"), ("release.yml", "contents")}


def steps_of(name: str, job: str) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = WORKFLOWS[name]["jobs"][job]["steps"]
    return steps


def scripts() -> list[tuple[str, str]]:
    return [(name, step["run"]) for name, job in JOBS for step in steps_of(name, job) if "run" in step]


def test_there_is_one_for_each_occasion() -> None:
    assert list(WORKFLOWS) == ["check.yml", "image.yml", "plan.yml", "release.yml"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_is_pinned_by_its_commit_and_says_which_version_that_is(file: Path) -> None:
    used = re.findall(r"uses: (\S+)(.*)", file.read_text())
    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w-]+/[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), action


def test_an_action_is_pinned_to_the_same_commit_everywhere() -> None:
    used = {action for file in FILES for action in re.findall(r"uses: (\S+)", file.read_text())}
    assert len({action.partition("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_reads_and_nothing_else_and_is_not_run_twice_at_once(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    assert set(WORKFLOWS[name]["concurrency"]) == {"group", "cancel-in-progress"}


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_job_ends_in_time_and_has_few_rights(name: str, job: str) -> None:
    whole = WORKFLOWS[name]["jobs"][job]
    assert whole["timeout-minutes"] <= 150
    given = {(name, right) for right, level in whole.get("permissions", {}).items() if level == "write"}
    assert given <= MORE_RIGHTS


@pytest.mark.parametrize(("name", "job"), JOBS)
def test_a_checkout_leaves_no_token_behind(name: str, job: str) -> None:
    checkouts = [step for step in steps_of(name, job) if step.get("uses", "").startswith("actions/checkout@")]
    assert checkouts
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize(("name", "script"), scripts())
def test_no_script_is_put_together_from_what_strangers_write(name: str, script: str) -> None:
    """A branch's name inside ${{ }} would be run; as a variable of the environment it is a word."""
    assert "${{" not in script, name


def test_every_verb_of_make_that_is_called_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {word for _, script in scripts() for line in re.findall(r"^make ([a-z -]+)$", script, re.MULTILINE) for word in line.split()}
    assert {"check", "scan", "scan-infra", "sbom"} <= called
    assert called <= targets


def test_every_file_and_module_that_is_called_is_there() -> None:
    whole = "\n".join(script for _, script in scripts())
    assert ".ci/run" in whole
    for module in re.findall(r"python -m (zixly_[\w.]+)", whole):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()
    for path in re.findall(r"(?:tests|terraform)/[\w./-]+", whole):
        assert (ROOT / path).exists(), path


def test_every_lock_of_npm_is_looked_after() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    (npm,) = [one for one in updates if one["package-ecosystem"] == "npm"]
    locks = [file.parent.relative_to(ROOT) for folder in ("benchmarks", "tests") for file in (ROOT / folder).rglob("package-lock.json")]
    assert npm["directories"] == sorted(f"/{folder}" for folder in locks if "node_modules" not in folder.parts)


def test_hooks_are_tools_of_ours() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert local["repo"] == "local"
    assert {hook["language"] for hook in local["hooks"]} == {"system"}
    check = re.findall(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[0].replace("$(BIN)", ".venv/bin")
    for hook in local["hooks"]:
        assert hook["entry"] in check or hook["entry"].startswith("terraform fmt"), hook["id"]


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_a_hook_refuses_nothing_that_check_takes(command: list[str]) -> None:
    """pre-commit names the files that changed, and those that the settings leave out are looked at when they are named."""
    files = [str(file) for file in (ROOT / "docs").rglob("*.py")]
    assert files
    done = subprocess.run([sys.executable, "-m", "ruff", *command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_hooks_call_what_is_installed() -> None:
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    for hook in local["hooks"]:
        program = hook["entry"].split()[0]
        assert (ROOT / program).exists() or shutil.which(program) or program == "terraform", program


def test_the_container_for_developers_has_what_ci_installs() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    installed = set(container["onCreateCommand"].partition("--no-install-recommends ")[2].split())
    wanted = set(re.findall(r"missing\+=\(([\w -]+)\)", (ROOT / ".ci" / "run").read_text()))
    assert {package for names in wanted for package in names.split()} - {"nodejs", "npm"} <= installed
    assert container["postCreateCommand"] == "make setup"


def test_python_and_terraform_are_one_version_everywhere() -> None:
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    terraform = container["features"]["ghcr.io/devcontainers/features/terraform:1"]["version"]
    named = {
        step["with"]["terraform_version"]
        for name, job in JOBS
        for step in steps_of(name, job)
        if "terraform_version" in step.get("with", {})
    }
    assert named == {terraform}
