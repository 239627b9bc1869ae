# SPDX-License-Identifier: MPL-2.0
"""Taking accounts out of an installation and into another: as a file, or straight from a Crossbar API."""
