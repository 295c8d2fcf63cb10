"""Terraform for tests: the program of the machine, its AWS provider from a mirror on disk, and a state in the test's own folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2] / "terraform"
# Where the mirror lies: set by whoever has it, else where it was put on the machines that run the tests.
MIRROR_VARIABLE, MIRROR = "ZIXLY_TEST_TERRAFORM_MIRROR", "/opt/tf-plugins"
CALL_SECONDS = 400


def require_terraform() -> Path:
    """The mirror of providers. Neither it nor Terraform comes from a registry of packages, so that in CI too only a machine with
    Terraform on it must run what needs it."""
    mirror = Path(os.environ.get(MIRROR_VARIABLE, MIRROR))
    missing = [
        text
        for text, is_there in (("terraform", shutil.which("terraform")), ("a mirror of its providers", mirror.is_dir()))
        if not is_there
    ]
    if not missing:
        return mirror
    text = f"{' and '.join(missing)} is not installed"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@dataclass(frozen=True)
class Terraform:
    """Calls in a copy of one folder of `terraform/`, so that nothing is written beside the sources."""

    folder: Path
    scratch: Path
    mirror: Path
    variables: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, *, scratch: Path, **variables: Any) -> Terraform:
        """Of `modules/queue` or `environments/local`; the other folders lie beside it as in the sources."""
        mirror = require_terraform()
        copied = scratch / "terraform"
        shutil.copytree(ROOT, copied, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        return cls(copied / name, scratch, mirror, variables)

    def run(self, *arguments: str, expected: int = 0) -> str:
        """What a call printed. Fails with it when the status is another one."""
        done = subprocess.run(
            ["terraform", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
        assert done.returncode == expected, f"terraform {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-4000:]}"
        return done.stdout

    def init(self) -> None:
        self.run("init", "-input=false", "-no-color", "-backend=false")

    def outputs(self) -> dict[str, Any]:
        document: dict[str, dict[str, Any]] = json.loads(self.run("output", "-json", "-no-color"))
        return {name: one["value"] for name, one in document.items()}

    def environment(self) -> dict[str, str]:
        """Nothing of the machine's own settings or credentials. The file that names the mirror is the one that counts."""
        kept = {"PATH": os.environ["PATH"], "HOME": str(self.scratch), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        told = {f"TF_VAR_{name}": value if isinstance(value, str) else json.dumps(value) for name, value in self.variables.items()}
        return kept | told | {"TF_CLI_CONFIG_FILE": str(self._configuration())}

    def _configuration(self) -> Path:
        file = self.scratch / "terraform.rc"
        file.write_text(
            "disable_checkpoint = true\n"
            "provider_installation {\n"
            f'  filesystem_mirror {{\n    path    = "{self.mirror}"\n    include = ["hashicorp/aws"]\n  }}\n'
            '  direct {\n    exclude = ["hashicorp/aws"]\n  }\n'
            "}\n"
        )
        return file
