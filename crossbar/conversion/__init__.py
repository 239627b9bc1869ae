"""Sound and paper: what a file is, and what can be made of it."""
