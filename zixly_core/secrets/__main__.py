"""`python -m zixly_core.secrets` prints a new key for ZIXLY_SECRETS_KEY."""

from __future__ import annotations

import os
import sys

from zixly_core.secrets.keys import KEY_BYTES, SecretKey

if __name__ == "__main__":
    sys.stdout.write(SecretKey(os.urandom(KEY_BYTES)).text + "\n")
