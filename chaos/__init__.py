"""The fault suite: a stream of signed deliveries to the real stack while everything is broken, then a count of what became of it.

`docs/reliability/README.md` says how to run it, what each fault does and what is checked.
"""
