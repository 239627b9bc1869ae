"""Faxes and fax boxes."""
