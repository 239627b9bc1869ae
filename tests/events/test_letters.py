"""Letters made of templates."""

from __future__ import annotations

from typing import Any

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from crossbar.events.letters import TEMPLATES, BadAddress, letter

RECOVERY = {
    "first_name": "Ann",
    "username": "ann",
    "account_name": "Acme",
    "site": "ui.example.com",
    "link": "https://ui.example.com/?recovery=abc&x=1",
}


def recovery(**told: Any) -> Any:
    return letter("password_recovery", sender="no-reply@example.com", to="ann@example.com", told=RECOVERY | told)


def test_text_and_html_stand_side_by_side() -> None:
    made = recovery()
    assert (made["From"], made["To"]) == ("no-reply@example.com", "ann@example.com")
    assert made["Subject"] == "Your password at Acme"
    assert made["Auto-Submitted"] == "auto-generated"
    text, page = made.get_body(("plain",)), made.get_body(("html",))
    assert "https://ui.example.com/?recovery=abc&x=1\n" in text.get_content()
    assert 'href="https://ui.example.com/?recovery=abc&amp;x=1"' in page.get_content()


def test_markup_in_a_name_is_text() -> None:
    page = recovery(first_name="<script>alert(1)</script>").get_body(("html",)).get_content()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_name_with_line_breaks_makes_no_header() -> None:
    made = recovery(account_name="Acme\r\nBcc: everybody@example.com")
    assert made["Subject"] == "Your password at Acme Bcc: everybody@example.com"
    assert made["Bcc"] is None


@pytest.mark.parametrize(
    "to",
    [
        "ann@example.com\r\nBcc: x",
        "ann@example.com, bob@example.com",
        "ann@example.com bob",
        "Ann <ann@example.com>",
        "@example.com",
        "ann@",
        "",
        "ann",
    ],
)
def test_only_one_plain_address_is_written_to(to: str) -> None:
    with pytest.raises(BadAddress):
        letter("password_recovery", sender="no-reply@example.com", to=to, told=RECOVERY)


def test_nothing_is_left_out_in_silence() -> None:
    with pytest.raises(UndefinedError):
        letter("password_recovery", sender="no-reply@example.com", to="ann@example.com", told={})


def test_templates_cannot_reach_the_server() -> None:
    with pytest.raises(SecurityError):
        TEMPLATES.from_string("{{ ''.__class__.__mro__ }}").render()
