# SPDX-License-Identifier: MPL-2.0
"""Trials: the whole server under attack and among failures, for as long as one likes. `make trials` runs them all.

`python -m trials --help` tells which there are; the test suite runs each in short.
"""
