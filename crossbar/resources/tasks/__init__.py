# SPDX-License-Identifier: MPL-2.0
"""Tasks: work on many rows at a time, done in the background.

A task is created, started, watched and stopped; its input and output are CSV files. `tasks` is what clients see,
`task` the document, `job` what keeps two workers from one task, `runner` the worker, `task_action` and `task_catalog`
what can be done.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.tasks.domain.job import JOB_SHAPE
from crossbar.resources.tasks.domain.runner import task_runner
from crossbar.resources.tasks.domain.task import CHUNK_SHAPE
from crossbar.resources.tasks.tasks import tasks
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (tasks,)
SHAPES: Final[tuple[Shape, ...]] = (
    JOB_SHAPE,
    CHUNK_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (task_runner,)
