"""The last table of docs/deployment.md: whoever adds a file by which the software is deployed says there what proved it."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLDERS = ("terraform", "deploy", ".github", ".devcontainer")
SINGLE = ("Dockerfile", "docker-compose.yml", ".pre-commit-config.yaml", "renovate.json", ".checkov.yaml", ".hadolint.yaml")
MADE = {".terraform", ".terraform.lock.hcl", "__pycache__", "node_modules"}


def patterns() -> list[str]:
    """What the first column names: files, or patterns of them."""
    section = (ROOT / "docs" / "deployment.md").read_text().partition("## What proved each file")[2]
    first = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return [name for cell in first for name in re.findall(r"`([^`]+)`", cell)]


def deploying() -> list[str]:
    """Every file by which it is deployed, as a path from the top."""
    found = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.is_file()]
    found += [ROOT / name for name in SINGLE if (ROOT / name).is_file()]
    return sorted(str(file.relative_to(ROOT)) for file in found if not MADE & set(file.parts) and not file.name.endswith(".pyc"))


def test_there_are_files_to_speak_of() -> None:
    assert "terraform/modules/queue/main.tf" in deploying()
    assert "deploy/gateway/nginx.conf.template" in deploying()


@pytest.mark.parametrize("pattern", patterns())
def test_what_the_table_names_is_there(pattern: str) -> None:
    assert any(fnmatchcase(file, pattern) for file in deploying()) or (ROOT / pattern).is_file()


def test_every_file_by_which_it_is_deployed_is_in_the_table() -> None:
    known = patterns()
    assert [file for file in deploying() if not any(fnmatchcase(file, pattern) for pattern in known)] == []
