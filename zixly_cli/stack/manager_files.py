"""The process manager's file, and beside it one plan for each process that only its owner may read."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

import orjson

from zixly_cli.stack.home import Home
from zixly_cli.stack.private_files import write_private
from zixly_cli.stack.programs import Program

LAUNCHER = Path(__file__).with_name("launch.py")

HEAD = """\
[unix_http_server]
file={socket}
chmod=0700

[supervisord]
nodaemon=true
silent=true
identifier=zixly
umask=077
logfile={logs}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={run}/supervisord.pid
childlogdir={logs}
{user}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

# A restart is tried again a few times, a second longer apart each time: Postgres may find its memory still taken after a kill.
PROGRAM = """
[program:{name}]
command={command}
autostart=false
autorestart=true
startsecs=1
startretries=4
stopsignal={stop_signal}
stopwaitsecs={stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile={logs}/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


def write_files(home: Home, programs: Iterable[Program]) -> Path:
    """Write the manager's file and, for each process, the plan with its secrets that `launch.py` reads."""
    user = "user=root" if os.geteuid() == 0 else ""  # said aloud, or it warns about it
    parts = [HEAD.format(socket=escaped(home.socket), logs=escaped(home.logs), run=escaped(home.run), user=user)]
    for program in programs:
        plan = home.run / f"{program.name}.json"
        write_private(plan, launch_plan(program))
        command = shlex.join([sys.executable, "-I", str(LAUNCHER), str(plan)])
        parts.append(
            PROGRAM.format(
                name=program.name,
                command=escaped(command),
                stop_signal=program.stop_signal,
                stop_seconds=program.stop_seconds,
                logs=escaped(home.logs),
            )
        )
    path = home.run / "supervisord.conf"
    write_private(path, "".join(parts).encode())
    return path


def launch_plan(program: Program) -> bytes:
    return orjson.dumps(
        {
            "command": list(program.command),
            "environment": dict(program.environment),
            "folder": str(program.folder),
            "uid": program.user.uid if program.user else None,
            "gid": program.user.gid if program.user else None,
        }
    )


def escaped(text: object) -> str:
    """The manager reads `%` as the start of a name of its own."""
    return str(text).replace("%", "%%")
