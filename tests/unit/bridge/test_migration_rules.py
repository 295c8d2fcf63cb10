"""What a migration may do while the version before works on the same tables (docs/deployment.md, upgrades)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zixly_core import migrations

VERSIONS = Path(str(migrations.__file__)).parent / "versions"
# Those up to here came before the rule, and before there was a platform with rows to wait for.
FIRST_UNDER_THE_RULE = "0030"
MADE = re.compile(r"create table (?:if not exists )?(?:zixly\.)?(\w+)")
INDEX = re.compile(r"create (?:unique )?index (?!concurrently)[\w ]+? on (?:zixly\.)?(\w+)")
BREAKS_THE_VERSION_BEFORE = (
    r"drop column",
    r"\brename\b",
    r"alter column \w+ (?:set data )?type",
    r"set not null",
    r"add column \w+ [^,;]*not null(?![^,;]*default)",
    r"drop table",
    r"add constraint (?![^;]*not valid)",
)


def troubles_in(text: str) -> list[str]:
    """What would make the version before fail, or stand still for as long as a large table takes."""
    words = " ".join(re.sub(r"--[^\n]*", "", text).lower().split())
    new = set(MADE.findall(words))
    found = [f"an index on {table}, which has rows: build it concurrently" for table in INDEX.findall(words) if table not in new]
    for statement in words.split(";"):
        changed = re.search(r"alter table (?:if exists )?(?:only )?(?:zixly\.)?(\w+)", statement)
        if changed and changed[1] in new:
            continue
        found += [f"{statement.strip()[:80]}" for pattern in BREAKS_THE_VERSION_BEFORE if re.search(pattern, statement)]
    return found


def test_migrations_leave_the_version_before_at_work() -> None:
    files = [path for path in VERSIONS.glob("*_sql/*.sql") if path.parent.name[:4] >= FIRST_UNDER_THE_RULE]
    assert {f"{path.parent.name}/{path.name}": found for path in files if (found := troubles_in(path.read_text()))} == {}


@pytest.mark.parametrize(
    "bad",
    [
        "create index events_by_x on zixly.events (x);",
        "create unique index x on zixly.jobs (x) where y is null;",
        "alter table zixly.events drop column payload;",
        "alter table zixly.events rename column a to b;",
        "alter table zixly.events alter column a type bigint;",
        "alter table zixly.events alter column a set not null;",
        "alter table zixly.events add column a text not null;",
        "alter table zixly.events add constraint c check (a > 0);",
        "drop table zixly.events;",
    ],
)
def test_what_would_stop_the_version_before_is_seen(bad: str) -> None:
    assert len(troubles_in(bad)) == 1


def test_what_it_does_not_notice_is_allowed() -> None:
    good = """
    create table zixly.new_things (id uuid primary key); create index new_things_by_age on zixly.new_things (id); -- drop table x
    alter table zixly.new_things alter column id set not null;
    alter table zixly.events add column a text; alter table zixly.events add column b boolean not null default false;
    create index concurrently events_of_a on zixly.events (a);
    alter table zixly.events add constraint c check (a is not null) not valid;
    """
    assert troubles_in(good) == []
