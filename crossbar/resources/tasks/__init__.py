"""Tasks: work on many rows at a time, done in the background.

A task is created, started, watched and stopped; its input and output are CSV files. `tasks` is what clients see,
`task` the document, `job` what keeps two workers from one task, `runner` the worker, `task_action` and `task_catalog`
what can be done.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Part, Resource
from crossbar.resources.tasks.domain.job import JOB_SHAPE
from crossbar.resources.tasks.domain.runner import task_runner
from crossbar.resources.tasks.domain.task import PIECE_SHAPE
from crossbar.resources.tasks.tasks import tasks

RESOURCES: Final[tuple[Resource, ...]] = (tasks,)
SHAPES: Final[tuple[Shape, ...]] = (
    JOB_SHAPE,
    PIECE_SHAPE,
)
PARTS: Final[tuple[Part, ...]] = (task_runner,)
