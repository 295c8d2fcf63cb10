"""scripts/init-local, with commands in place of Docker, Terraform and curl that write down how they were called."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from zixly_cli.containers.places import plan_of
from zixly_cli.containers.prepare import refuse_misspelt
from zixly_cli.settings import ROOT

pytestmark = pytest.mark.unit
TOOLS = ("docker", "terraform", "curl")
OF_THE_SYSTEM = ("sh", "dirname", "cat", "grep", "sleep")
RECORD = '#!/bin/sh\necho "{name} $*" >>"{calls}"\n{end}\n'


class Checkout:
    """A folder with the script in it, and a PATH with nothing but what is there."""

    def __init__(self, folder: Path, *, without: str = "", failing: str = "") -> None:
        self.folder, self.commands, self.calls = folder / "checkout", folder / "bin", folder / "calls"
        (self.folder / "scripts").mkdir(parents=True)
        self.commands.mkdir()
        shutil.copy(ROOT / "scripts" / "init-local", self.folder / "scripts")
        for name in OF_THE_SYSTEM:
            (self.commands / name).symlink_to(str(shutil.which(name)))
        for name in TOOLS:
            if name != without:
                end = "exit 7" if name == failing else "exit 0"
                (self.commands / name).write_text(RECORD.format(name=name, calls=self.calls, end=end))
                (self.commands / name).chmod(0o755)

    def run(self) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.commands), "INIT_LOCAL_SECONDS": "0"}
        command = [str(self.folder / "scripts" / "init-local")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def test_emulator_resources_and_stack_come_up_in_this_order(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    done = checkout.run()
    assert done.returncode == 0, done.stderr
    assert [call for call in checkout.called if not call.startswith("curl")] == [
        "docker compose version",
        "docker compose up --detach ministack",
        "terraform -chdir=terraform/environments/local init -input=false",
        "terraform -chdir=terraform/environments/local apply -input=false -auto-approve -var endpoint=http://127.0.0.1:4566",
        "docker compose up --detach",
    ]
    assert "https://localhost:8443/console" in done.stdout


def test_what_it_writes_are_settings_that_the_stack_takes(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.run()
    file = checkout.folder / ".env"
    refuse_misspelt({}, written=file)
    given = dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    plan = plan_of(given, profiles=given["COMPOSE_PROFILES"], secrets=tmp_path)
    assert plan.has_sandbox
    assert plan.environment("bridge")["ZIXLY_QUEUE_URL"] == given["ZIXLY_QUEUE_URL"]


def test_settings_that_are_there_stay_and_the_second_time_does_the_same(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    checkout.run()
    file = checkout.folder / ".env"
    file.write_text(f"{file.read_text()}ZIXLY_WORKERS=3\n")
    before, first = file.read_text(), checkout.called
    assert checkout.run().returncode == 0
    assert file.read_text() == before
    assert checkout.called == first * 2


@pytest.mark.parametrize("tool", TOOLS)
def test_a_missing_tool_is_named_and_nothing_is_written(tmp_path: Path, tool: str) -> None:
    checkout = Checkout(tmp_path, without=tool)
    done = checkout.run()
    assert (done.returncode, done.stderr) == (1, f"init-local: {tool} is needed and not installed\n")
    assert not (checkout.folder / ".env").exists()


def test_settings_without_the_emulator_are_not_overwritten(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path)
    (checkout.folder / ".env").write_text("COMPOSE_PROFILES=sandbox\n")
    done = checkout.run()
    assert done.returncode == 1
    assert "no COMPOSE_PROFILES with aws-emulated" in done.stderr
    assert checkout.called == ["docker compose version"]


def test_an_emulator_that_does_not_answer_ends_it_before_anything_is_made(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path, failing="curl")
    done = checkout.run()
    assert done.returncode == 1
    assert "the emulator did not answer at http://127.0.0.1:4566" in done.stderr
    assert not [call for call in checkout.called if call.startswith("terraform")]


def test_what_terraform_makes_is_what_the_settings_name() -> None:
    text = (ROOT / "scripts" / "init-local").read_text()
    variables = (ROOT / "terraform" / "environments" / "local" / "variables.tf").read_text()
    assert 'default     = "zixly-local"' in variables
    assert 'default     = "ap-southeast-2"' in variables
    assert "sqs://ap-southeast-2/zixly-local?" in text
    assert "s3://zixly-local-objects?region=ap-southeast-2&" in text
