"""Queues of callers, their agents, and statistics of both."""
