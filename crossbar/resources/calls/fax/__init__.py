# SPDX-License-Identifier: MPL-2.0
"""Faxes and fax boxes."""
