# SPDX-License-Identifier: MPL-2.0
"""Who is calling, and may they?"""
