"""Text and multimedia messages."""
