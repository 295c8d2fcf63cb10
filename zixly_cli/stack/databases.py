"""The databases `zixly` and `dagster` on one server, and the roles: each with a password, none of them a superuser."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
from psycopg import sql

OWNER = "zixly_owner"
DAGSTER = "dagster"
# The roles of the platform's tables (made by the first migration, here if they are not there yet).
ROLES = ("zixly_intake", "zixly_api", "zixly_dispatch", "zixly_runs", "zixly_metrics", "zixly_retention", "zixly_reseal")


def make_roles(admin_url: str, *, passwords: Mapping[str, str]) -> None:
    """Every role with the password given for it. Safe to repeat; a changed password is taken over."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        there = {name for (name,) in connection.execute("select rolname from pg_roles")}
        for role in (OWNER, DAGSTER, *ROLES):
            verb = sql.SQL("alter role" if role in there else "create role")
            extra = sql.SQL("createrole" if role == OWNER else "nocreaterole")
            connection.execute(
                sql.SQL("{} {} login {} password {}").format(verb, sql.Identifier(role), extra, sql.Literal(passwords[role]))
            )


def make_database(admin_url: str, *, name: str, owner: str, template: str | None = None) -> None:
    """The database, if it is not there. Only its owner and the roles of the platform may connect. A template is copied as files, which is
    quicker than through the log for one of many small tables."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            return
        copied = sql.SQL("template {} strategy file_copy").format(sql.Identifier(template)) if template else sql.SQL("")
        connection.execute(sql.SQL("create database {} owner {} {}").format(sql.Identifier(name), sql.Identifier(owner), copied))


def may_connect(admin_url: str, *, database: str, roles: tuple[str, ...]) -> None:
    """Nobody but its owner and `roles` may connect to the database: Dagster's role sees no platform data, and the reverse."""
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("revoke connect on database {} from public").format(sql.Identifier(database)))
        for role in roles:
            connection.execute(sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), sql.Identifier(role)))
