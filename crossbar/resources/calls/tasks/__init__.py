"""Tasks: work on many rows at a time, done in the background.

A task is created, started, watched, stopped; its input and output are CSV files. `endpoint` is what clients see,
`task` the document, `job` what keeps two workers from one task, `runner` the worker, `action` and `catalog` what can
be done.
"""
