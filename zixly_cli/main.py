"""The command `zixly`. Each command reads settings, calls one function, and says what came of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from zixly_cli import deliveries_commands
from zixly_cli.audit_commands import app as audit_app
from zixly_cli.backfill_commands import app as backfill_app
from zixly_cli.backup_commands import backup, restore
from zixly_cli.connections_commands import app as connections_app
from zixly_cli.gateway_commands import app as gateway_app
from zixly_cli.issues_commands import app as issues_app
from zixly_cli.jobs_commands import app as jobs_app
from zixly_cli.notify_commands import app as notify_app
from zixly_cli.output import console_for_people, print_json
from zixly_cli.pause_commands import pause, priority_app, resume
from zixly_cli.people_commands import app as people_app
from zixly_cli.reconcile_commands import app as reconcile_app
from zixly_cli.replay_commands import app as replay_app
from zixly_cli.sandbox_control_commands import app as sandbox_app
from zixly_cli.secrets_commands import app as secrets_app
from zixly_cli.settings import StackSettings, read_stack_settings, user_variables
from zixly_cli.tenants_commands import app as tenants_app
from zixly_cli.token_commands import app as token_app
from zixly_cli.watch_commands import app as watch_app
from zixly_core.errors import SettingsError, ZixlyError

app = typer.Typer(
    name="zixly",
    help="The integration platform on one machine: start it, look at it, send it deliveries.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Settings are variables ZIXLY_*, in the environment or in a file .env; .env.example lists them.",
)
app.add_typer(jobs_app, name="jobs")
app.add_typer(backfill_app, name="backfill")
app.add_typer(issues_app, name="issues")
app.add_typer(replay_app, name="replay")
app.add_typer(deliveries_commands.app, name="deliveries")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(gateway_app, name="gateway")
app.add_typer(connections_app, name="connections")
app.add_typer(notify_app, name="notify")
app.add_typer(priority_app, name="priority")
app.command(epilog="Example: zixly pause tenant demo --reason 'moves its books' --until 06:00")(pause)
app.command(epilog="Example: zixly resume tenant demo")(resume)
app.command(epilog="Example: zixly backup backups/2026-11-28")(backup)
app.command(epilog="Example: ZIXLY_HOME=.restored zixly restore backups/2026-11-28 --key-file secrets.key")(restore)
app.add_typer(reconcile_app, name="reconcile")
app.add_typer(watch_app, name="watch")
app.add_typer(secrets_app, name="secrets")
app.add_typer(people_app, name="people")
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")
app.add_typer(tenants_app, name="tenants")
app.add_typer(tenants_app, name="tenant", hidden=True)
console = console_for_people()
NOT_UP = 3

ProcessName = Annotated[str, typer.Argument(help="A process as `zixly status` names it, such as valkey or worker-1.", metavar="NAME")]


@app.command(epilog="Example: ZIXLY_BRIDGE_PORT=4000 zixly up")
def up(
    sign_in: Annotated[bool, typer.Option("--sign-in", help="Ask everybody who he is, with a provider for development.")] = False,
) -> None:
    """Start the whole stack and keep it up; Ctrl-C stops it."""
    from zixly_cli.up import up as run

    variables, settings = stack_settings()
    raise typer.Exit(run(settings, variables=variables, console=console, asks_to_sign_in=sign_in))


@app.command(epilog="Example: zixly demo --keep")
def demo(keep: Annotated[bool, typer.Option(help="Keep the temporary folder with its logs.")] = False) -> None:
    """Start the stack on free ports, push deliveries through, show what happened, stop."""
    from zixly_cli.demo import run_demo

    raise typer.Exit(run_demo(console=console, keep=keep))


@app.command(epilog="Example: zixly status --json")
def status(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False) -> None:
    """Show the processes of the stack. The exit status is 3 when it is not up."""
    from zixly_cli.control import status_document, status_rows, status_table

    _, settings = stack_settings()
    rows = status_rows(settings)
    if as_json:
        print_json(status_document(rows))
    elif rows:
        console.print(status_table(rows))
    else:
        console.print(f"not up (home: {settings.home})")
    raise typer.Exit(0 if rows else NOT_UP)


@app.command(epilog="Example: zixly down")
def down() -> None:
    """Stop the stack, also what a killed one left behind."""
    from zixly_cli.control import down as run

    console.print("stopped" if run(stack_settings()[1]) else "nothing was running")


@app.command(epilog="Example: zixly stop valkey")
def stop(name: ProcessName) -> None:
    """Stop one process; it stays stopped until `zixly start NAME`."""
    from zixly_cli.control import stop_process

    stop_process(stack_settings()[1], name)
    console.print(f"{name} is stopped")


@app.command(epilog="Example: zixly start valkey --empty")
def start(
    name: ProcessName,
    empty: Annotated[bool, typer.Option("--empty", help="Only for valkey: with everything in it forgotten.")] = False,
) -> None:
    """Start one process that was stopped."""
    from zixly_cli.control import start_process

    start_process(stack_settings()[1], name, is_empty=empty)
    console.print(f"{name} is started")


@app.command(epilog="Example: zixly restart worker-1")
def restart(
    name: ProcessName,
    empty: Annotated[bool, typer.Option("--empty", help="Only for valkey: with everything in it forgotten.")] = False,
) -> None:
    """Stop one process and start it again."""
    from zixly_cli.control import start_process, stop_process

    _, settings = stack_settings()
    stop_process(settings, name)
    start_process(settings, name, is_empty=empty)
    console.print(f"{name} is restarted")


@app.command(epilog="Example: zixly reset --yes")
def reset(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop the stack and remove all its state: databases, documents, keys, logs."""
    from zixly_cli.control import reset as run

    _, settings = stack_settings()
    if not yes:
        typer.confirm(f"Remove everything in {settings.home}?", abort=True)
    run(settings)
    console.print(f"{settings.home} is gone")


@app.command(epilog="Example: zixly logs bridge --follow")
def logs(
    name: ProcessName,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on showing what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines to begin with.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="The lines as they are, with whole ids.")] = False,
) -> None:
    """Show the log of one process: readable on a terminal, as JSON elsewhere."""
    from zixly_cli.control import follow as run
    from zixly_cli.control import last_lines, log_file, shown_line

    path = log_file(stack_settings()[1], name)
    for line in last_lines(path, lines):
        typer.echo(shown_line(line, as_json=as_json))
    if follow:
        run(name, path, as_json=as_json)


@app.command(epilog="Example: zixly send xero --invoice 8694c9c5-7097-4449-a708-b8c1982921a4")
def send(
    system: Annotated[str, typer.Argument(help="What is sent: xero, hubspot, shopify, asana, callbacks or trading-sweep.")],
    record: Annotated[
        list[str] | None, typer.Option("--record", "--invoice", help="A record that the delivery is about; may be repeated.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="The account at the system; the demo tenant's if left out.")] = None,
    url: Annotated[str | None, typer.Option(help="The bridge; the local stack's if left out.")] = None,
) -> None:
    """Sign a delivery with the local key and send it to the bridge."""
    from zixly_cli.send import send_sample

    variables, settings = stack_settings()
    answer = send_sample(
        system, records=record or [], account=account, url=url, settings=settings, variables=variables, now=datetime.now(UTC)
    )
    console.print(f"{answer.status_code} {answer.text}".rstrip())
    raise typer.Exit(0 if answer.is_success else 1)


@app.command(epilog="Example: zixly run hubspot-deal-to-xero 17812345601 --tenant demo --dry-run")
def run(
    workflow: Annotated[str, typer.Argument(help="The workflow, such as hubspot-deal-to-xero.")],
    record: Annotated[str | None, typer.Argument(help="The record's id at the system that the workflow starts from.")] = None,
    *,
    tenant: Annotated[str, typer.Option(help="The tenant's short name.")] = "demo",
    connection: Annotated[str | None, typer.Option(help="The connection's id, where the tenant has several at that system.")] = None,
    payload: Annotated[str | None, typer.Option(help="The request as a JSON object, for a workflow that is about no record.")] = None,
    kind: Annotated[str | None, typer.Option(help="The kind of the request, where there are several.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing; show what would be written, as differences.")] = False,
    wait: Annotated[float, typer.Option(help="Seconds to wait for the end.", min=0)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="The job as JSON, for scripts.")] = False,
) -> None:
    """Have a workflow done for one record, or for one request."""
    from zixly_cli.bridge_api import bridge_of
    from zixly_cli.run_workflow import payload_from, run_workflow, show_job

    variables, settings = stack_settings()
    with bridge_of(variables, port=settings.bridge_port) as api:
        wanted = {
            "tenant": tenant,
            "workflow": workflow,
            "record_id": record,
            "payload": payload_from(payload),
            "kind": kind,
            "connection_id": connection,
            "dry_run": dry_run,
        }
        job = run_workflow(api, wanted, wait_seconds=wait)
    if as_json:
        print_json(job)
    else:
        show_job(job, console)
    raise typer.Exit(0 if job["status"] == "COMPLETED" else 1)


@app.command(epilog="Example: zixly trace 01a2053d-334d-7f47-92d7-5203fa2f9480")
def trace(
    wanted: Annotated[str, typer.Argument(help="The id of a delivery, event, job, batch, run or trace.", metavar="ID")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False,
) -> None:
    """Show the way of one thing on one screen: delivery, event, job, attempts, run, effects."""
    from urllib.parse import quote

    from zixly_cli.jobs_view import show_trace

    with deliveries_commands.bridge() as api:
        found = api.get(f"/api/trace/{quote(wanted, safe='')}")
    if as_json:
        print_json(found)
    else:
        show_trace(found, console)


@app.command(epilog="Example: zixly ledger --tenant demo --since 7d --by-hour")
def ledger(
    *,
    tenant: Annotated[str | None, typer.Option(help="Only this client's.")] = None,
    system: Annotated[str | None, typer.Option(help="Only this system's, such as xero.")] = None,
    since: Annotated[str, typer.Option(help="From the hour that holds this moment: 6h, 7d ago, or a date and time in UTC.")] = "24h",
    until: Annotated[str | None, typer.Option(help="Up to here; now if left out.")] = None,
    by_hour: Annotated[bool, typer.Option("--by-hour", help="A line for each hour.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts; always by the hour.")] = False,
) -> None:
    """Show what came and what became of it, what was made and how it ended. The exit status is 1 when it does not balance."""
    from zixly_cli.ledger_view import balance_of, ledger_tables
    from zixly_cli.moments import moment_from

    now = datetime.now(UTC)
    window = {"since": moment_from(since, now=now).isoformat()}
    if until is not None:
        window["until"] = moment_from(until, now=now, option="--until").isoformat()
    with deliveries_commands.bridge() as api:
        found = api.get("/api/ledger", tenant=tenant, system=system, **window)
    is_balanced, words = balance_of(found)
    if as_json:
        print_json(found)
    else:
        for table in ledger_tables(found, by_hour=by_hour):
            console.print(table)
        console.print(f"[{'green' if is_balanced else 'red'}]{words}[/]")
    raise typer.Exit(0 if is_balanced else 1)


@app.command(name="check-delivery", epilog="Example: zixly check-delivery tests/payloads/xero/deliveries/03-invoice-update.json")
def check_delivery(file: Annotated[Path, typer.Argument(help="A recorded delivery (tests/payloads/).", metavar="FILE")]) -> None:
    """Tell what the bridge would say to a recorded delivery, as one JSON object, without any server."""
    from zixly_cli.check_delivery import outcome_of, read_delivery, report_of

    print_json(report_of(outcome_of(read_delivery(file))))


@app.command(epilog="Example: zixly connect xero --tenant demo")
def connect(
    system: Annotated[str, typer.Argument(help="xero, hubspot, shopify or asana.")],
    *,
    tenant: Annotated[str | None, typer.Option(help="The client whose account it is.")] = None,
    connection: Annotated[str | None, typer.Option(help="A connection that is to be authorised again.")] = None,
    account: Annotated[str | None, typer.Option(help="The account that it must be; for Shopify the shop.")] = None,
    own: Annotated[bool, typer.Option("--own", help="A Shopify shop of our own: no consent, the app's own credentials.")] = False,
    browser: Annotated[bool, typer.Option(help="Open the link in a browser of this machine.")] = True,
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for the consent.")] = 900,
) -> None:
    """Connect an account: shows a link for whoever may consent at the vendor, and waits for what comes of it."""
    from zixly_cli.connect import begun, connection_table, ended
    from zixly_cli.deliveries_commands import bridge

    with bridge() as api:
        consent = begun(api, system, tenant=tenant, connection=connection, account=account, own=own)
        if consent["link"]:
            console.print("Open this link, once, as somebody who may consent:", consent["link"], sep="\n", soft_wrap=True)
            if browser:
                typer.launch(consent["link"])
        made = ended(api, consent, wait_seconds=wait)
    console.print("connected", connection_table(made, now=datetime.now(UTC)), sep="\n")


@app.command(epilog="Example: zixly doctor --json")
def doctor(as_json: Annotated[bool, typer.Option("--json", help="As JSON, for scripts.")] = False) -> None:
    """Examine settings, programs, servers, migrations, secrets, clocks and the way to the vendors; each problem with its remedy."""
    from zixly_cli.doctor import examine

    findings = examine(user_variables())
    problems = [finding for finding in findings if finding.problem]
    if as_json:
        print_json([finding.as_document() for finding in findings])
        raise typer.Exit(1 if problems else 0)
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark = "[red]problem[/]" if finding.problem else "[green]well[/]"
        console.print(f"{mark:>18}  {finding.what:<{width}} ", Text(finding.problem or finding.found), soft_wrap=True)
        if finding.remedy:
            console.print(f"{'':>9}  {'':<{width}} ", Text(finding.remedy, style="bold"), soft_wrap=True)
    raise typer.Exit(1 if problems else 0)


def stack_settings() -> tuple[dict[str, str], StackSettings]:
    variables = user_variables()
    return variables, read_stack_settings(variables)


def main() -> None:
    """Run the command. Mistakes and failures end in one sentence, never in a traceback."""
    try:
        app()
    except ZixlyError as error:
        sys.stderr.write(f"zixly: {error}\n")
        sys.exit(2 if isinstance(error, SettingsError) else 1)


if __name__ == "__main__":
    main()
