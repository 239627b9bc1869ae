# SPDX-License-Identifier: MPL-2.0
"""Compiled modules are kept, whatever the environment says: tests start a hundred processes, and each would compile
the whole server anew, which takes it a second."""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
