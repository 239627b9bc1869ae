# SPDX-License-Identifier: MPL-2.0
"""Who is told of what happens: mail."""
