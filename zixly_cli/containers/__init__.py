"""The stack in containers: what each of them gets to see, and what is done before they start (docs/decisions/0033)."""
