"""Calls that are going on, and how one is begun from outside."""
