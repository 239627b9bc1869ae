"""Voicemail boxes and their messages."""
