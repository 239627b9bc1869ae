# SPDX-License-Identifier: MPL-2.0
"""What `setup.cfg` has no words for: beside the packages found, `schemas/` becomes the package `crossbar._schemas`."""

from setuptools import find_packages, setup

setup(packages=[*find_packages(include=["crossbar", "crossbar.*"]), "crossbar._schemas"])
