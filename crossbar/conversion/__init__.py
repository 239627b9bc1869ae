# SPDX-License-Identifier: MPL-2.0
"""Sound and paper: what a file is, and what can be made of it."""
