"""What Terraform says of our files without any AWS: their form, their types, and the tests of each module."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.terraform import ROOT, Terraform

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MODULES = sorted(f"modules/{folder.name}" for folder in (ROOT / "modules").iterdir())
ENVIRONMENTS = sorted(f"environments/{folder.name}" for folder in (ROOT / "environments").iterdir())
TESTED = sorted({str(file.parent.parent.relative_to(ROOT)) for file in ROOT.rglob("*.tftest.hcl")})


def test_everything_is_formatted(tmp_path: Path) -> None:
    Terraform.of(".", scratch=tmp_path).run("fmt", "-recursive", "-check", "-diff", "-no-color")


# Terraform validates what it tests; the provider takes seconds to start, so it is not started once more for that.
@pytest.mark.parametrize("name", sorted(set(ENVIRONMENTS) - set(TESTED)))
def test_an_environment_is_valid(name: str, tmp_path: Path) -> None:
    terraform = Terraform.of(name, scratch=tmp_path)
    terraform.init()
    assert "Success!" in terraform.run("validate", "-no-color")


def test_every_module_has_tests() -> None:
    assert set(MODULES) <= set(TESTED)


@pytest.mark.parametrize("name", TESTED)
def test_its_own_tests_pass(name: str, tmp_path: Path) -> None:
    terraform = Terraform.of(name, scratch=tmp_path)
    terraform.init()
    said = re.search(r"Success! (\d+) passed, 0 failed", terraform.run("test", "-no-color"))
    assert said is not None
    assert int(said[1]) >= 3


@pytest.mark.parametrize("name", [*MODULES, *ENVIRONMENTS])
def test_every_variable_and_output_says_what_it_is(name: str) -> None:
    for file in (ROOT / name).glob("*.tf"):
        for block in re.findall(r'^(?:variable|output) "[^"]+" \{.*?^\}', file.read_text(), re.MULTILINE | re.DOTALL):
            assert "description" in block, f"{file.name}: {block.splitlines()[0]}"
