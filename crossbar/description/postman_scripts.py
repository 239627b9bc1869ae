# SPDX-License-Identifier: MPL-2.0
"""What the requests of a Postman collection do before they are sent, and what they hold answers to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from crossbar.description.openapi_parts import ALWAYS
from crossbar.description.operations import AnswerKind, ApiOperation

BEFORE_LOG_IN: Final = """\
const password = CryptoJS.MD5(`${pm.variables.get("user")}:${pm.variables.get("password")}`);
pm.collectionVariables.set("credentials", password.toString());"""
AFTER_LOG_IN: Final = """\
if (pm.response.code === 201) {
    const kept = pm.environment.name ? pm.environment : pm.collectionVariables;
    const { auth_token, data } = pm.response.json();
    kept.set("auth_token", auth_token);
    kept.set("account_id", data.account_id);
    pm.collectionVariables.set("own_account_id", data.account_id);
    pm.collectionVariables.set("own_user_id", data.owner_id);
}"""
AFTER_BEGIN: Final = """\
if (pm.response.code === 201) {
    const kept = pm.environment.name ? pm.environment : pm.collectionVariables;
    kept.set("account_id", pm.response.json().data.id);
}"""
AFTER_END: Final = """\
if (pm.response.code === 200) {
    const kept = pm.environment.name ? pm.environment : pm.collectionVariables;
    kept.set("account_id", pm.variables.get("own_account_id"));
}"""
BEFORE_END: Final = """\
// Never the account that has logged in; what was made below this one goes first.
if (pm.variables.get("account_id") === pm.variables.get("own_account_id")) {
    throw new Error("This would delete your own account: create one to work in first.");
}
const below = pm.variables.get("child_account_id");
if (below) {
    pm.collectionVariables.unset("child_account_id");
    pm.sendRequest({
        url: `${pm.variables.get("base_url")}/v2/accounts/${below}`,
        method: "DELETE",
        header: { "X-Auth-Token": pm.variables.get("auth_token") },
    }, () => {});
}"""
MAKE_MISSING: Final = """\
// What a request speaks of and no variable holds is made first; the variable make_missing switches it off.
const makers = %s;
const named = (text) => [...text.matchAll(/\\{\\{(\\w+)\\}\\}/g)].map((found) => found[1]);
const missing = (text) => named(text).filter((name) => makers[name] && !pm.variables.get(name));
const make = (names, done) => {
    const [name, ...others] = names;
    if (name === undefined) {
        done();
        return;
    }
    if (pm.variables.get(name)) {
        make(others, done);
        return;
    }
    const { verb, path, body, field } = makers[name];
    make(missing(path + body), () => {
        const request = {
            url: pm.variables.replaceIn(`{{base_url}}${path}`),
            method: verb,
            header: { "Content-Type": "application/json", "X-Auth-Token": pm.variables.get("auth_token") },
        };
        if (body) {
            request.body = { mode: "raw", raw: pm.variables.replaceIn(body) };
        }
        pm.sendRequest(request, (error, response) => {
            const told = error ? {} : response.json();
            const made = field.split(".").reduce((part, key) => (part ? part[key] : undefined), told.data);
            if (told.status !== "success" || !made) {
                throw new Error(`${name} cannot be made: ${error || response.text()}`);
            }
            pm.collectionVariables.set(name, made);
            make(others, done);
        });
    });
};
if (pm.variables.get("make_missing") !== "false") {
    make(missing(JSON.stringify(pm.request.toJSON())), () => {});
}"""
"""Read by every request; `%s` is variable → how it is made."""


def making(makers: Mapping[str, Mapping[str, str]]) -> str:
    """What comes before every request: what it needs is made."""
    return MAKE_MISSING % json.dumps(makers, indent=1, sort_keys=True)


def checks(operation: ApiOperation, statuses: tuple[int, ...]) -> Iterator[str]:
    """The tests of an answer: its status, and what its form is."""
    yield f'pm.test("The status is {" or ".join(map(str, statuses))}", () => {{'
    yield f"    pm.expect(pm.response.code).to.be.oneOf({json.dumps(statuses)});"
    yield "});"
    answer = operation.answer
    if answer.kind is AnswerKind.FILE:
        yield "if (pm.response.code < 400) {"
        yield '    pm.test("It is a file", () => {'
        yield "        pm.expect(pm.response.responseSize).to.be.above(0);"
        yield '        pm.expect(pm.response.headers.has("Content-Type")).to.equal(true);'
        yield "    });"
        yield "} else {"
        yield from _envelope(ALWAYS, "    ")
        yield "}"
    elif not operation.is_enveloped:
        yield from _envelope(["status"], "")
    else:
        yield from _envelope(ALWAYS, "")


def _envelope(keys: Iterable[str], indent: str) -> Iterator[str]:
    yield f'{indent}pm.test("It is JSON in its envelope", () => {{'
    yield f"{indent}    const told = pm.response.json();"
    yield f"{indent}    pm.expect(told).to.include.all.keys({json.dumps([*keys])});"
    yield f'{indent}    pm.expect(told.status).to.equal(pm.response.code < 400 ? "success" : "error");'
    yield f"{indent}}});"


def keeping(kept: Mapping[str, str]) -> Iterator[str]:
    """Note what an answer tells: variable → field of the data."""
    if kept:
        yield "if (pm.response.code < 300) {"
        yield "    const { data } = pm.response.json();"
        for variable, path in kept.items():
            yield f"    pm.collectionVariables.set({json.dumps(variable)}, data.{path});"
        yield "}"


def forgetting(variables: list[str]) -> Iterator[str]:
    """What is deleted is not asked for any more."""
    if variables:
        yield "if (pm.response.code < 300) {"
        yield from (f"    pm.collectionVariables.unset({json.dumps(name)});" for name in variables)
        yield "}"


def event(listen: str, lines: Iterable[str]) -> dict[str, Any]:
    """A script as Postman keeps it: line by line."""
    return {"listen": listen, "script": {"type": "text/javascript", "exec": "\n".join(lines).split("\n")}}
