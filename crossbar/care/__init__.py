# SPDX-License-Identifier: MPL-2.0
"""How an installation is looked after: backed up, restored, checked, filled with an example to look at."""
