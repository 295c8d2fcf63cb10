"""Changing the key that seals secrets, for the command: where the rows and the keys are, what is done, what is said of it."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Table

from zixly_cli.doctor.platform import platform_of
from zixly_cli.settings import read_stack_settings, user_variables
from zixly_core.errors import Permanent, SettingsError
from zixly_core.resealing import Resealing, reseal_all
from zixly_core.sealed_columns import SealedColumn
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import drop_older_keys, read_key_file, rotate_key_file
from zixly_core.stores.database import Database
from zixly_core.stores.sealed import Counts, counts_by_key

# How long after a new key somebody may still commit what he sealed with the one before: a transaction lives for a minute at most, and a
# process that reads its keys from Secrets Manager asks every five.
SETTLED_AFTER = timedelta(minutes=6)


@dataclass(frozen=True)
class Place:
    """The rows, the keys, and the file that they are in, if they are."""

    database: Database
    box: SecretBox
    key_file: Path | None

    def counts(self) -> Counts:
        return counts_by_key(self.database)

    def is_settled(self, counts: Counts) -> bool:
        newest = self.box.key_ids[0]
        return all(key == newest for by_key in counts.values() for key in by_key)


@contextmanager
def opened() -> Iterator[Place]:
    """What the settings lead to, or the embedded stack that is up. Raises `SettingsError`."""
    variables = user_variables()
    platform = platform_of(variables, read_stack_settings(variables))
    if platform is None:
        raise SettingsError("No stack is up here; set ZIXLY_DATABASE_URL_RESEAL, and the keys as the other processes have them")
    settings = platform.settings
    database = Database(settings.required("database_url_reseal"), name="secrets", max_size=1)
    try:
        yield Place(database, SecretBox.from_settings(settings), settings.secrets_key_file)
    finally:
        database.close()


def rotated(place: Place, console: Console) -> bool:
    """Seal everything anew; whether nothing is left."""
    begin(place, console)
    with Progress(TextColumn("{task.description}"), TextColumn("{task.completed} of {task.total}"), console=console) as bar:
        newest = place.box.key_ids[0]
        totals = {sealed: sum(n for key, n in keys.items() if key != newest) for sealed, keys in place.counts().items()}
        tasks = {sealed: bar.add_task(sealed.name, total=total) for sealed, total in totals.items() if total}

        def tell(sealed: SealedColumn, done: int) -> None:
            if sealed in tasks:
                bar.advance(tasks[sealed], done)

        result = reseal_all(place.database, place.box, actor=f"cli:{getpass.getuser()}", tell=tell)
    say_end(place, result, console)
    return result.left() == 0


def begin(place: Place, console: Console) -> None:
    """A new key in front of a key file's, unless a change is under way there."""
    if place.key_file is None:
        console.print(f"the newest key that is set is {name_of(place.box.key_ids[0])}")
    elif len(read_key_file(place.key_file)) == 1:
        key = rotate_key_file(place.key_file)
        console.print(f"the new key {name_of(key.id)} stands in front in {place.key_file}", soft_wrap=True)
    else:
        console.print(f"a change of key is under way: it goes on with {name_of(place.box.key_ids[0])}")


def say_end(place: Place, result: Resealing, console: Console) -> None:
    console.print(f"{sum(result.resealed.values())} values were sealed anew with {name_of(result.newest)}")
    for column, ids in result.unreadable.items():
        console.print(f"{len(ids)} of {column} cannot be opened with any key and stay as they are, such as that of row {ids[0]}")
    for key_id in place.box.key_ids[1:]:
        left = result.left(key_id)
        needed = f"is still needed: it seals {left}" if left else "is no longer needed: it seals nothing (counted just now)"
        console.print(f"the old key {name_of(key_id)} {needed}")
    if len(place.box.key_ids) > 1 and not result.left():
        how = "`zixly secrets rotate --drop-old` takes it out of the file" if place.key_file else "take it out where the keys are set"
        minutes = SETTLED_AFTER // timedelta(minutes=1)
        console.print(f"{how}, in {minutes} minutes; keep a copy as long as you keep backups of the database from before today")


def drop_old(place: Place, console: Console) -> bool:
    """Take the older keys out of the key file. Raises `SettingsError` or `Permanent` while they may still be needed."""
    if place.key_file is None:
        raise SettingsError("The keys do not lie in a file; take the older ones out where ZIXLY_SECRETS_KEY is set")
    changed_at = datetime.fromtimestamp(place.key_file.stat().st_mtime, UTC)
    if datetime.now(UTC) - changed_at < SETTLED_AFTER:
        text = f"The key file was changed at {changed_at:%H:%M} UTC; a process may still keep what it sealed before. Wait until "
        raise Permanent(f"{text}{changed_at + SETTLED_AFTER:%H:%M} UTC.", reason="key_too_new")
    counts = place.counts()
    if not place.is_settled(counts):
        raise Permanent("Something is still sealed with an older key; run `zixly secrets rotate`.", reason="key_needed")
    console.print(f"{drop_older_keys(place.key_file)} older keys were taken out of {place.key_file}", soft_wrap=True)
    return True


def key_table(box: SecretBox, counts: Counts) -> Table:
    """What each key has sealed, by column."""
    keys = [*box.key_ids, *sorted({key for by_key in counts.values() for key in by_key} - set(box.key_ids))]
    table = Table("column", *(name_of(key) + standing(box, key) for key in keys))
    for sealed, by_key in counts.items():
        table.add_row(sealed.name, *(str(by_key.get(key, 0)) for key in keys))
    return table


def counts_document(box: SecretBox, counts: Counts) -> dict[str, object]:
    return {
        "newest": name_of(box.key_ids[0]),
        "older": [name_of(key) for key in box.key_ids[1:]],
        "sealed": {sealed.name: {name_of(key): number for key, number in by_key.items()} for sealed, by_key in counts.items()},
    }


def standing(box: SecretBox, key: bytes) -> str:
    if key == box.key_ids[0]:
        return " (newest)"
    return "" if key in box.key_ids else " (missing)"


def name_of(key_id: bytes) -> str:
    return key_id.hex()
