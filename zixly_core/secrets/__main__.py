"""`python -m zixly_core.secrets` prints a new key for ZIXLY_SECRETS_KEY."""

from __future__ import annotations

import sys

from zixly_core.secrets.new_keys import new_key

if __name__ == "__main__":
    sys.stdout.write(new_key().text + "\n")
