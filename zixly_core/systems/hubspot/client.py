"""HubSpot's CRM API for one portal: everything that the workflows call, each kind of record in a module of its own."""

from __future__ import annotations

from zixly_core.systems.hubspot.calls import MAX_INPUTS, objects_path
from zixly_core.systems.hubspot.contact_calls import ContactCalls
from zixly_core.systems.hubspot.note_calls import NoteCalls

__all__ = ["MAX_INPUTS", "HubSpotClient", "objects_path"]


class HubSpotClient(ContactCalls, NoteCalls):
    """One portal's records, read and written in batches of 100. Safe to share between threads."""
