# SPDX-License-Identifier: MPL-2.0
"""`python -m crossbar`: the same as the command `crossbar`."""

from crossbar.cli import main

if __name__ == "__main__":
    main()
