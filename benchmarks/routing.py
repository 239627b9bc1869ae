# SPDX-License-Identifier: MPL-2.0
"""What finding the handler of a path costs, with 20, 200 and 600 routes: here, and with aiohttp's own dispatcher.

Usage: python -m benchmarks.routing
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.wire.paths import parse_path

ROUNDS = 7
CALLS = 5000
ACCOUNT, DOCUMENT = "a" * 32, "d" * 32
PATTERNS = ("", "/{id}")
VERBS = ("GET", "PUT", "POST", "PATCH", "DELETE")


async def answer(_: Context) -> Reply:
    return Reply()


async def handle(_: web.Request) -> web.Response:
    return web.Response()


def microseconds(look_up: Callable[[], object]) -> float:
    """The median of some rounds, for one look-up."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            look_up()
        rounds.append((time.perf_counter() - started) / CALLS * 1e6)
    return statistics.median(rounds)


def here(endpoints: int) -> float:
    """The last endpoint's document path, through the path parser and the endpoint's own table."""
    things = {}
    for number in range(endpoints):
        endpoint = things[f"things{number}"] = Endpoint(f"things{number}")
        for pattern in PATTERNS:
            for verb in VERBS:
                endpoint.route(verb, f"/accounts/{{account_id}}/things{number}{pattern}")(answer)
    words = dict.fromkeys([*things, "accounts"], False)
    path = f"/v2/accounts/{ACCOUNT}/things{endpoints - 1}/{DOCUMENT}"

    def look_up() -> object:
        parsed = parse_path(path, words)
        if parsed is None:
            raise LookupError(path)
        noun = parsed.nouns[-1]
        found = things[noun.name].routes.find(noun.args)
        if found is None:
            raise LookupError(path)
        return found[0].routes["accounts"]["GET"]

    return microseconds(look_up)


def aiohttps(endpoints: int) -> float:
    """The same path through aiohttp's dispatcher."""
    app = web.Application()
    for number in range(endpoints):
        for pattern in PATTERNS:
            resource = app.router.add_resource(f"/v2/accounts/{{account_id}}/things{number}{pattern}")
            for verb in VERBS:
                resource.add_route(verb, handle)
    request = make_mocked_request("GET", f"/v2/accounts/{ACCOUNT}/things{endpoints - 1}/{DOCUMENT}")
    loop = asyncio.new_event_loop()
    resolve = app.router.resolve
    try:
        return microseconds(lambda: loop.run_until_complete(resolve(request))) - microseconds(
            lambda: loop.run_until_complete(asyncio.sleep(0))
        )
    finally:
        loop.close()


if __name__ == "__main__":
    print("| routes | here, µs | aiohttp's dispatcher, µs |\n| ---: | ---: | ---: |")
    for routes in (20, 200, 600):
        endpoints = routes // (len(PATTERNS) * len(VERBS))
        print(f"| {routes} | {here(endpoints):.1f} | {aiohttps(endpoints):.1f} |")
