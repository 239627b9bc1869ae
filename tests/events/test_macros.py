# SPDX-License-Identifier: MPL-2.0
"""Templates that customers write."""

from __future__ import annotations

import pytest

from crossbar.events.macros import BadTemplate, check, render

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
