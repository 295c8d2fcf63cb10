"""HubSpot: one portal's objects, the CRM API over them, and the token endpoint."""
