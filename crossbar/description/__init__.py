# SPDX-License-Identifier: MPL-2.0
"""What the API answers, told from its declarations: `operations` in words of its own, and what is made of them."""
