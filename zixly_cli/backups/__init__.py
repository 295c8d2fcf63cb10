"""Backups: both databases and the documents in one folder, and a platform made of one."""
