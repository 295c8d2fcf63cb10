"""The data that the sandbox starts with, the same for the same seed."""
