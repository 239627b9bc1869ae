"""Long trials of the whole server: `python -m trials --help`. The test suite uses their parts in short."""
