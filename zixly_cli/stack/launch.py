"""Become one of the stack's processes: `python -I launch.py FILE`, with a file that only its owner may read.

The file holds what must not stand on a command line or in the process manager's file: the environment with its passwords.
Standard library only, since every process passes through here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_bytes())
    os.chdir(plan["folder"])
    if plan["uid"] is not None:
        os.setgroups([])
        os.setgid(plan["gid"])
        os.setuid(plan["uid"])
    os.umask(0o077)
    os.execvpe(plan["command"][0], plan["command"], plan["environment"])  # noqa: S606 - that is the purpose


if __name__ == "__main__":
    main()
