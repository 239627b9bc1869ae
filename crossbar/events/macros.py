# SPDX-License-Identifier: MPL-2.0
"""Templates that customers write: what Django's and Jinja's languages have in common, within limits.

A customer's template may show macros, decide between texts and go through lists it is given. It can neither compute
nor repeat at will, so that no template keeps the server busy.

Source: KAZOO `kz_template.erl` (erlydtl).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import ChainableUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

LARGEST: Final = 512 * 1024
"""Characters of the largest template."""
REMEMBERED: Final = 128
"""Compiled templates that are kept: to compile one takes up to a tenth of a second, to fill it in less than a
thousandth."""
LARGEST_REMEMBERED: Final = 8 * 1024
"""Characters of the largest template that is kept: compiled, each takes 40 bytes, so that all take 40 MB at most."""
DEEPEST_LOOPS: Final = 2
FILTERS: Final = frozenset(
    ("capitalize", "default", "e", "escape", "first", "join", "last", "length", "lower", "title", "trim", "upper")
)
ALLOWED: Final = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.Const,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Compare,
    nodes.Operand,
    nodes.Not,
    nodes.And,
    nodes.Or,
)


class BadTemplate(ValueError):
    """A text that is no template, or wants what templates may not do."""


def _shown(value: Any) -> Any:
    """A value as a text shows it: nothing for none, lists with commas."""
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, list) else value


class _MacroEnvironment(ImmutableSandboxedEnvironment):
    """Knows the keys of what it is told, and no methods: `invoice.items` is a list."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping):
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def _environment(*, escape: bool) -> ImmutableSandboxedEnvironment:
    environment = _MacroEnvironment(autoescape=escape, undefined=ChainableUndefined, finalize=_shown)
    environment.globals.clear()
    return environment


_PLAIN: Final = _environment(escape=False)
_MARKUP: Final = _environment(escape=True)


def check(text: str) -> None:
    """Raise BadTemplate unless `text` is a template that may be used."""
    if len(text) > LARGEST:
        raise BadTemplate(f"a template has at most {LARGEST} characters")
    try:
        tree = _PLAIN.parse(text)
    except (TemplateError, RecursionError) as error:
        raise BadTemplate(str(error)) from error
    _check(tree, loops=0)


def _check(node: nodes.Node, *, loops: int) -> None:
    if not isinstance(node, ALLOWED):
        raise BadTemplate(f"{type(node).__name__} has no place in a template")
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        raise BadTemplate(f"there is no filter {node.name}")
    if isinstance(node, nodes.For):
        loops += 1
        if loops > DEEPEST_LOOPS or not isinstance(node.iter, nodes.Name | nodes.Getattr):
            raise BadTemplate("a loop goes through a list it is given, and holds at most one more")
    for child in node.iter_child_nodes():
        _check(child, loops=loops)


def render(text: str, told: Mapping[str, Any], *, markup: bool) -> str:
    """The text with macros put in, escaped for HTML where it is `markup`. Raises BadTemplate."""
    compiled: Callable[[str, bool], Template] = _remembered if len(text) <= LARGEST_REMEMBERED else _compiled
    try:
        return compiled(text, markup).render(told)
    except (TemplateError, TypeError, ValueError, RecursionError) as error:
        raise BadTemplate(str(error)) from error


def _compiled(text: str, markup: bool) -> Template:
    check(text)
    return (_MARKUP if markup else _PLAIN).from_string(text)


_remembered: Final = lru_cache(REMEMBERED)(_compiled)
