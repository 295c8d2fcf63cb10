"""Fixtures that every tier may use: real servers, started on first use, stopped at the end."""

pytest_plugins = ["tests.support.postgres", "tests.support.servers", "tests.support.ledger", "tests.support.kept"]
