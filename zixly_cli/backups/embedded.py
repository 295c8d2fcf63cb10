"""The embedded stack's Postgres alone, for a restore: the stack is down, its databases are made, and nothing else runs."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from zixly_cli.backups.place import Place, place_of
from zixly_cli.backups.postgres_programs import PostgresPrograms
from zixly_cli.doctor.platform import stack_variables
from zixly_cli.settings import StackSettings
from zixly_cli.settings_of_platform import settings_from
from zixly_cli.stack.home import Home
from zixly_cli.stack.ports import refuse_taken_ports
from zixly_cli.stack.postgres import SUPERUSER, PostgresServer, init_cluster, postgres_server, server_environment, wait_until_ready
from zixly_cli.stack.private_files import write_private
from zixly_cli.stack.programs import Plan
from zixly_cli.stack.setup_steps import make_databases
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_cli.up import owned_home
from zixly_core.errors import SettingsError

READY_SECONDS = 60.0
STOP_SECONDS = 30.0


def keys_for(stack: StackSettings, given: Path | None) -> Path:
    """The key file to go by: the home's own, or the one that is given, which then becomes the home's. Raises `SettingsError`."""
    own = Home(stack.home).key_file
    if own.exists() and given is not None and own.read_bytes() != given.read_bytes():
        raise SettingsError(f"{own} is there already and holds other keys than {given}; nothing was changed")
    if not own.exists() and given is None:
        raise SettingsError(f"A backup holds no keys: name the key file that was in force then with --key-file (or put it at {own})")
    return own if own.exists() else given or own


@contextmanager
def embedded_place(stack: StackSettings, *, variables: Mapping[str, str], keys: Path, programs: PostgresPrograms) -> Iterator[Place]:
    """The home with its Postgres running, and stopped afterwards. Raises `SettingsError` while the stack is up."""
    refuse_taken_ports({"postgres": stack.postgres_port})
    with owned_home(stack, say=lambda _text: None) as home:
        if not home.key_file.exists():
            write_private(home.key_file, keys.read_bytes())
        plan = Plan(home=home, settings=stack, secrets=load_or_make_secrets(home.secrets_file), user_variables=variables)
        server = postgres_server(home.path, bin_setting=stack.pg_bin)
        init_cluster(server, password=plan.secrets.postgres[SUPERUSER])
        with running(server, port=stack.postgres_port, log=home.logs / "postgres.log"):
            wait_until_ready(plan.urls.admin, timeout_seconds=READY_SECONDS)
            make_databases(plan)
            yield place_of(settings_from(stack_variables(variables, stack)), programs)


@contextmanager
def running(server: PostgresServer, *, port: int, log: Path) -> Iterator[None]:
    user = server.user
    with log.open("ab") as output:
        process = subprocess.Popen(
            server.command(port=port),
            cwd=server.place,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=server_environment(),
            user=None if user is None else user.uid,
            group=None if user is None else user.gid,
            extra_groups=None if user is None else [],
            start_new_session=True,
        )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=STOP_SECONDS)
