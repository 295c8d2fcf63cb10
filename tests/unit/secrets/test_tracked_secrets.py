"""What is not to be committed is found, and what is committed holds nothing of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.tracked_secrets import ROOT, findings, findings_in, tracked

HEX = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
# Put together here, so that this file holds none.
PLANTED = {
    "private key": "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC" * 2,
    "AWS access key": "AKIA" + "QWERTYUIOPASDFGH",
    "Shopify token": "shpat_" + HEX,
    "HubSpot token": "pat-" + "na1-9f8e7d6c-5b4a-3928-1706-f5e4d3c2b1a0",
    "Asana token": "1/" + "1200000000000001:" + HEX,
    "Slack token": "xoxb-" + "123456789012-abcdefABCDEF",
    "Slack webhook": "https://hooks.slack.com/services/" + "T0AAAAAAA/B0AAAAAAA/" + HEX,
    "JSON web token": "eyJ" + "hbGciOiJSUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0." + HEX,
    "signing secret": "whsec_" + HEX,
    "machine token": "zx_" + HEX,
    "GitHub token": "ghp_" + HEX + "abcd",
    "password in a URL": "postgresql://zixly_api:" + HEX + "@db.internal:5432/zixly",
    "secret setting": "ZIXLY_XERO_CLIENT_SECRET=" + HEX,
}


@pytest.mark.parametrize("form", PLANTED)
def test_a_planted_secret_is_found_and_not_repeated(form: str) -> None:
    (found,) = findings_in("notes.md", f"first line\n{PLANTED[form]}\n")
    assert (found.form, found.line) == (form, 2)
    assert HEX not in str(found)


@pytest.mark.parametrize("name", [".env", "deploy/.env", ".env.production", "deploy/tls/server.key", "id_ed25519", "ca.pem"])
def test_a_file_that_holds_secrets_by_nature_is_found_by_its_name(name: str) -> None:
    assert [one.file for one in findings([name])] == [name]


@pytest.mark.parametrize("name", [".env.example", "zixly_core/secrets/keys.py", "docs/secrets.md"])
def test_files_about_them_are_not(name: str) -> None:
    assert list(findings([name])) == []


def test_a_new_file_counts_before_it_is_committed_and_an_ignored_one_does_not(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("ignored\n")
    for name in ("new", "ignored"):
        (tmp_path / name).write_text(PLANTED["machine token"])
    assert [one.file for one in findings(tracked(tmp_path), root=tmp_path)] == ["new"]


def test_env_is_ignored() -> None:
    """So that it is not even offered."""
    done = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=ROOT, check=False)
    assert done.returncode == 0
