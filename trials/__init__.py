"""Trials: the server under attack and among failures, for as long as one likes. `make trials` runs them all."""
