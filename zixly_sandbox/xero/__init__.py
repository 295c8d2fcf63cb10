"""Xero: one organisation's books, the Accounting API over them, and Xero's identity service."""
