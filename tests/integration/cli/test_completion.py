"""A shell completes the words of the command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(("typed", "words"), [("zixly jo", {"jobs"}), ("zixly jobs ", {"ls", "show", "retry", "cancel"})])
def test_words_that_fit_are_offered(typed: str, words: set[str]) -> None:
    environment = {**os.environ, "_ZIXLY_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    command = [str(Path(sys.executable).parent / "zixly")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert words <= set(done.stdout.split()), done.stderr
