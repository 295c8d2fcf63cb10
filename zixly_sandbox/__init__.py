"""Local stand-ins for Xero and HubSpot that behave like them where it matters; see README.md beside this file."""
