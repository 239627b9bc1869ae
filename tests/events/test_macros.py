# SPDX-License-Identifier: MPL-2.0
"""Templates that customers write."""

from __future__ import annotations

from html import escape

import pytest

from crossbar.events import macros
from crossbar.events.macros import LARGEST_REMEMBERED, BadTemplate, check, render
from crossbar.ids import new_id

TOLD = {"user": {"first_name": "Ada <b>"}, "numbers": ["1", "2"], "on": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{user.first_name}}", "Hello Ada <b>"),
        ("{{ user.first_name|upper }}", "ADA <B>"),
        ("{% if on %}yes{% else %}no{% endif %}", "yes"),
        ("{% if user.first_name == 'Bob' %}Bob{% endif %}", ""),
        ("{% for number in numbers %}[{{ number }}]{% endfor %}", "[1][2]"),
        ("{{ nothing.at.all }}", ""),
        ("{{ nothing|default('-') }}", "-"),
    ],
)
def test_what_templates_may_do(text: str, expected: str) -> None:
    assert render(text, TOLD, markup=False) == expected


def test_what_is_told_is_no_markup() -> None:
    assert render("<p>{{ user.first_name }}</p>", TOLD, markup=True) == "<p>Ada &lt;b&gt;</p>"


@pytest.mark.parametrize(
    "text",
    [
        "{{ open",
        "{% block a %}{% endblock %}",
        "{% include 'other' %}",
        "{% import 'other' as other %}",
        "{% set a = 1 %}",
        "{% macro m() %}{% endmacro %}",
        "{{ user.first_name.upper() }}",
        "{{ user['first_name'] }}",
        "{{ 'a' * 1000000000 }}",
        "{{ 'a' ~ 'b' }}",
        "{{ [1, 2] }}",
        "{{ numbers|map('upper') }}",
        "{% for a in 'abc' %}{% endfor %}",
        "{% for a in range(9) %}{% endfor %}",
        "{% for a in numbers %}{% for b in numbers %}{% for c in numbers %}{% endfor %}{% endfor %}{% endfor %}",
        "x" * (512 * 1024 + 1),
        "{{" + "(" * 5000 + "a",
    ],
)
def test_what_they_may_not(text: str) -> None:
    with pytest.raises(BadTemplate):
        check(text)


def test_nothing_private_is_reached() -> None:
    assert render("{{ user.__class__ }}{{ user.first_name.__class__ }}", TOLD, markup=False) == ""


def test_a_template_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    usual = macros.check

    def checked(text: str) -> None:
        compiled.append(text)
        usual(text)

    monkeypatch.setattr(macros, "check", checked)
    text = f"{new_id()} {{{{ name }}}}"
    large = text.ljust(LARGEST_REMEMBERED + 1)
    for name in ("Ann", "<Bob>"):
        assert render(text, {"name": name}, markup=False).endswith(f" {name}")
        assert render(text, {"name": name}, markup=True).endswith(f" {escape(name)}")
        assert render(large, {"name": name}, markup=False).rstrip().endswith(f" {name}")
    assert compiled == [text, text, large, large]  # the same text is another template where it is markup


def test_what_is_no_template_stays_none() -> None:
    for _ in range(2):
        with pytest.raises(BadTemplate, match="Block has no place in a template"):
            render("{% block a %}{% endblock %}", TOLD, markup=False)
