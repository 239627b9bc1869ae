# SPDX-License-Identifier: MPL-2.0
"""Domain logic of this subject, without HTTP."""
