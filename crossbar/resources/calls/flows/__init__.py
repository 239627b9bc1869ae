# SPDX-License-Identifier: MPL-2.0
"""What decides on the way of a call: callflows, and what they refer to."""
