"""Sounds: prompts, music, recordings."""
