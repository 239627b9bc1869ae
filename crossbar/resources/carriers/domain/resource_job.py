# SPDX-License-Identifier: MPL-2.0
"""Imports of numbers from a carrier: what is asked for at once, and done in the background.

A job lies with its account; what is still to be done is noted beside it, in one transaction, so that one worker of the
installation finds it, goes on after a crash, and does nothing twice: what a number's document says of the request that
made it tells a job its own numbers.

Source: KAZOO `cb_resources.erl` (`create_job`), `crossbar_jobs_listener.erl`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from aiohttp import web

from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.background import in_background
from crossbar.dialing import NUMBER, NUMBERS, normalize
from crossbar.documents.document import SYSTEM_DATA, Document, as_list, as_object
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store, Transaction
from crossbar.errors import JSON, CrossbarError
from crossbar.ids import new_id
from crossbar.resources.numbers.domain import number_errors
from crossbar.resources.numbers.domain.number import LOCAL, OTHER, State, carrier_of, owner_of, state_of
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.number_operations import NumberOperations
from crossbar.resources.numbers.domain.number_steps import NumberSteps
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

OFFNET: Final = "offnet"
"""The partition of the carriers that are everybody's."""
RESOURCE: Final = "resource"
TYPE: Final = "resource_job"
QUEUED: Final = "resource_job_queued"
AT_A_TIME: Final = 100
"""Numbers whose results are kept together."""
LOOK_SECONDS: Final = 5.0
"""How often a process looks for jobs that others have scheduled, or left behind."""
LEASE_SECONDS: Final = 60.0
"""How long the jobs stay with a worker of which nothing is heard any more."""


def _status(job: Document) -> str:
    done = len(_successes(job)) + len(_errors(job))
    if not done:
        return "pending"
    return "complete" if done >= len(set(_numbers(job))) else "running"


def _numbers(job: Document) -> list[str]:
    return [number for number in as_list(job.at("numbers")) if isinstance(number, str)]


def _successes(job: Document) -> dict[str, Any]:
    return as_object(job.at("success"))


def _errors(job: Document) -> dict[str, Any]:
    return as_object(job.at("errors"))


RESOURCE_JOB_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(
        "id",
        "resource_id",
        "name",
        timestamp="pvt_created",
        status=_status,
        failures=lambda job: len(_errors(job)),
        successes=lambda job: len(_successes(job)),
    ),
    sort="pvt_created",
)
QUEUE_SHAPE: Final = Shape(QUEUED, summary=Summary("id"), sort="pvt_created")


def told(job: Document) -> dict[str, JSON]:
    """A job as clients read it."""
    return {**job.public, "timestamp": job.at("pvt_created"), "status": _status(job)}


async def schedule(store: Store, job: Document) -> Document:
    """Keep a new job, to be done soon."""
    queued = Document(
        SYSTEM_DATA,
        QUEUED,
        job.id,
        {"pvt_type": QUEUED, "pvt_account_id": job.partition, "pvt_created": job.fields["pvt_created"]},
    )

    async def keep(transaction: Transaction) -> Document:
        await transaction.insert(queued)
        return await transaction.insert(job)

    return await store.transact(keep)


NEWS: Final = web.AppKey("resource jobs", asyncio.Event)
"""Set by whoever schedules a job, so that its process looks at once."""


@asynccontextmanager
async def importing_numbers(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Do the jobs that come up as long as the server runs."""
    news = app[NEWS] = asyncio.Event()
    async with in_background(_keep_importing(runtime, news), name="resource jobs"):
        yield


async def _keep_importing(runtime: Runtime, news: asyncio.Event) -> None:
    worker = new_id()

    async def held() -> bool:
        return await runtime.store.leases.take("resource_jobs", worker, LEASE_SECONDS)

    while True:
        news.clear()
        try:
            if await runtime.store.exists(SYSTEM_DATA, QUEUED) and await held():
                await work_off(runtime, held)
        except CrossbarError as error:
            log.warning("resource jobs cannot be done, it will be tried again: %s", error)
        except Exception:
            log.exception("a resource job broke its worker")
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), LOOK_SECONDS)


async def work_off(runtime: Runtime, held: Callable[[], Awaitable[bool]] | None = None) -> None:
    """Do every job there is, as long as it is this worker's to do them."""
    for queued in await runtime.store.all(Listing(SYSTEM_DATA, QUEUED, descending=False)):
        if not await _do(runtime, queued, held):
            return


async def _do(runtime: Runtime, queued: Document, held: Callable[[], Awaitable[bool]] | None) -> bool:
    """Do what is left of a job; says whether it may be gone on with the next."""
    store, account_id = runtime.store, queued.text("pvt_account_id")
    job = await store.get(account_id, TYPE, queued.id)
    while job is not None and (left := list(_left(job))):
        results = await _reserve(runtime, job, left[:AT_A_TIME])
        job = await store.update(account_id, TYPE, job.id, partial(_note, results=results))
        if held is not None and not await held():
            return False
    await store.remove(queued)
    return True


def _left(job: Document) -> Iterator[str]:
    """The numbers of which nothing is known yet."""
    done = _successes(job).keys() | _errors(job).keys()
    yield from (
        number for number in dict.fromkeys(_numbers(job)) if number not in done and normalize(number) not in done
    )


def _note(job: Document, *, results: dict[str, Document | CrossbarError]) -> None:
    successes, errors = dict(_successes(job)), dict(_errors(job))
    for number, result in results.items():
        if isinstance(result, Document):
            successes[result.id] = _told_of(result)
            errors.pop(number, None)
        elif normalize(number) not in successes:
            errors[number] = _reason(result)
    job.fields |= {"success": successes, "errors": errors}


def _told_of(number: Document) -> dict[str, JSON]:
    return {
        **number.public,
        "state": str(state_of(number)),
        "_read_only": {"created": number.at("pvt_created"), "carrier_module": carrier_of(number)},
    }


def _reason(error: CrossbarError) -> dict[str, JSON]:
    data: dict[str, JSON] = as_object(error.data)
    return {"reason": data.get("error", error.message), "message": data.get("message", str(error))}


async def _reserve(runtime: Runtime, job: Document, given: list[str]) -> dict[str, Document | CrossbarError]:
    """Reserve numbers for the job's account with the rights of who asked for it; the numbers, or what is wrong."""
    written = {number: normalize(number) for number in given}
    results: dict[str, Document | CrossbarError] = {**await _made(runtime, job, list(written.values()))}
    creator = await runtime.access.directory.account(job.text("pvt_auth_account_id"))
    left = [number for number in written.values() if number not in results]
    if creator is None:
        results |= dict.fromkeys(left, number_errors.unauthorized())
    elif left:
        results |= await _reserve_for(runtime, job, creator, left)
    return {number: results[written[number]] for number in given}


async def _reserve_for(
    runtime: Runtime, job: Document, creator: Account, numbers: list[str]
) -> dict[str, Document | CrossbarError]:
    identity = Identity.without_token(creator, None, "resource_jobs")
    operations = NumberOperations(NumberCaller(runtime, identity, Author(job.id, identity)))
    is_global = await runtime.store.get(OFFNET, RESOURCE, job.text("resource_id")) is not None
    about: dict[str, JSON] = {"resource_id": job.text("resource_id")}
    creating = NumberSteps(runtime, job.partition, identity).creating(
        about, state=State.RESERVED, carrier=OTHER if is_global else LOCAL
    )
    outcomes = await operations.do_all(dict.fromkeys(numbers, creating))
    failed = {number: outcome for number, outcome in outcomes.items() if isinstance(outcome, CrossbarError)}
    kept = {number: found.document for number, found in outcomes.items() if not isinstance(found, CrossbarError)}
    return {**failed, **kept, **(await _made(runtime, job, list(failed)) if failed else {})}


async def _made(runtime: Runtime, job: Document, numbers: list[str]) -> dict[str, Document]:
    """Numbers that this job has made already: before a crash that came before its note, or beside us."""
    known = await runtime.store.get_many(NUMBERS, NUMBER, numbers)
    return {
        number: document
        for number, document in known.items()
        if document.at("pvt_request_id") == job.id and owner_of(document) == job.partition
    }
