# SPDX-License-Identifier: MPL-2.0
"""Configuration: where values come from, and what is refused."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from crossbar import manual
from crossbar.config import OPTIONS, Config, ConfigError
from crossbar.options import MASK, Option

ROOT = Path(__file__).parent.parent


def problems(path: Path | None = None, environ: dict[str, str] | None = None, **overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        Config.load(path, environ, {name.replace("__", "."): text for name, text in overrides.items()})
    return caught.value.problems


def ini(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "crossbar.ini"
    file.write_text(text)
    return file


def test_without_anything_the_defaults_hold() -> None:
    assert Config.load() == Config()
    assert {Config.load().origin(option) for option in OPTIONS.values()} == {"default"}


def test_later_places_go_before_earlier_ones(tmp_path: Path) -> None:
    file = ini(tmp_path, "[server]\nport = 1\nworkers = 2\nbacklog = 3\n[log]\nlevel = debug\n")
    environ = {"CROSSBAR_SERVER__PORT": "4", "CROSSBAR_SERVER__WORKERS": "5"}
    config = Config.load(file, environ, {"server.port": "6"})
    assert (config.server.port, config.server.workers, config.server.backlog, config.log.level) == (6, 5, 3, "debug")
    assert [config.origin(OPTIONS[f"server.{name}"]) for name in ("port", "workers", "backlog", "bind")] == [
        "command line",
        "CROSSBAR_SERVER__WORKERS",
        str(file),
        "default",
    ]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("server.data", "/srv/crossbar", Path("/srv/crossbar")),
        ("server.shutdown_timeout_s", "1.5", 1.5),
        ("server.check_reverse_proxies", "off", False),
        ("server.reverse_proxies", "10.0.0.0/8, ::1\n192.0.2.7", ("10.0.0.0/8", "::1", "192.0.2.7")),
        ("server.reverse_proxies", "", ()),
        ("api.stability_level", "beta", "beta"),
        ("api.stability_level", "", None),
        ("limits.request_memory_limit", "1000", 1000),
        ("buckets.token_costs", "0", 0),
        ("buckets.token_costs", '{"devices": {"PUT": 5}}', {"devices": {"PUT": 5}}),
        ("accounts.default_timezone", "Europe/Berlin", "Europe/Berlin"),
        ("mail.password", "100%", "100%"),
        ("access.plain_users", "as_kazoo", "as_kazoo"),
        ("access.recovery_hosts", "UI.example.com, [::1]:8080", ("ui.example.com", "[::1]:8080")),
        ("server.forwarded_header", "forwarded", "forwarded"),
    ],
)
def test_text_becomes_a_value(tmp_path: Path, name: str, text: str, value: object) -> None:
    section, option = name.split(".")
    indented = text.replace("\n", "\n  ")
    for config in (
        Config.load(overrides={name: text}),
        Config.load(ini(tmp_path, f"[{section}]\n{option} = {indented}\n")),
        Config.load(environ={f"CROSSBAR_{section}__{option}".upper(): text}),
    ):
        assert config.value(OPTIONS[name]) == value


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("server__port", "eighty", "must be a whole number, 0 to 65535, not 'eighty'"),
        ("server__port", "70000", "must be a whole number, 0 to 65535, not '70000'"),
        ("server__bind", "", "must not be empty, not ''"),
        ("server__workers", "0", "must be a whole number, 1 to 256, not '0'"),
        ("server__shutdown_timeout_s", "nan", "must be a number, 0 or more, not 'nan'"),
        ("server__shutdown_timeout_s", "inf", "must be a number, 0 or more, not 'inf'"),
        ("server__check_reverse_proxies", "maybe", "must be true or false, not 'maybe'"),
        ("server__reverse_proxies", "10.0.0.0/8, proxy", "must be IP addresses or CIDRs, not '10.0.0.0/8, proxy'"),
        (
            "access__recovery_hosts",
            "https://ui.example.com",
            "must be hosts, such as ui.example.com or ui.example.com:8",
        ),
        (
            "access__recovery_hosts",
            "ui.example.com/page",
            "must be hosts, such as ui.example.com or ui.example.com:8443",
        ),
        ("access__recovery_hosts", "me@ui.example.com", "must be hosts, such as ui.example.com or ui.example.com:8443"),
        ("access__plain_users", "free", "must be one of guarded, as_kazoo, not 'free'"),
        ("log__format", "xml", "must be one of auto, json, console, not 'xml'"),
        ("buckets__token_costs", "-1", "must be a whole number, 0 or more, or a JSON object, not '-1'"),
        ("buckets__token_costs", "true", "must be a whole number, 0 or more, or a JSON object, not 'true'"),
        ("buckets__token_costs", "{", "must be a whole number, 0 or more, or a JSON object, not '{'"),
        ("accounts__default_timezone", "Mars/Olympus", "must be the name of a time zone, such as Europe/Berlin"),
        ("accounts__default_timezone", "../etc/passwd", "must be the name of a time zone, such as Europe/Berlin"),
    ],
)
def test_a_bad_value_is_named(name: str, text: str, problem: str) -> None:
    (found,) = problems(**{name: text})
    assert found.startswith(f"{name.replace('__', '.')} (command line) {problem}")


def test_unknown_names_are_refused_with_the_nearest_known_one(tmp_path: Path) -> None:
    file = ini(tmp_path, "[sever]\nport = 1\n[server]\nprot = 1\n[DEFAULT]\nport = 1\n")
    assert problems(file, {"CROSSBAR_SERVER__WORKER": "1", "CROSSBAR_ADMIN_PASSWORD": "no option", "HOME": "/"}) == [
        f"{file}: unknown section [sever]; did you mean server?",
        f"{file}: unknown option server.prot; did you mean server.port?",
        f"{file}: unknown section [DEFAULT]; did you mean users?",
        "unknown environment variable CROSSBAR_SERVER__WORKER; did you mean CROSSBAR_SERVER__WORKERS?",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port = 1\n", "no section headers"),
        ("[server]\nport = 1\nport = 2\n", "option 'port' in section 'server' already exists"),
        ("[server]\nport\n", "parsing errors"),
        ("[server]\nbind = \xff\n", "invalid start byte"),
    ],
)
def test_a_file_that_is_no_ini_file_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    file = tmp_path / "crossbar.ini"
    file.write_bytes(text.encode("latin-1"))
    (found,) = problems(file)
    assert found.startswith(f"{file} is not a valid INI file: ")
    assert problem in found


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "none.ini") == [
        f"cannot read the configuration file {tmp_path / 'none.ini'}: No such file or directory"
    ]


def test_options_that_contradict_each_other_are_refused() -> None:
    assert problems(tls__certificate="a.pem") == ["tls.key is missing: tls.certificate and tls.key are needed together"]
    assert problems(tls__certificate="a.pem", tls__key="a.key", tls__port="8000") == [
        "tls.port and server.port must differ, both are 8000"
    ]


def test_secrets_are_never_shown() -> None:
    given = {
        "security.password_pepper": "hush-pepper",
        "mail.password": "hush-mail",
        "tls.password": "hush-key",
        "database.uri": "mongodb://crossbar:hush-db@db.example.com/?replicaSet=rs0",
    }
    config = Config.load(overrides=given)
    assert "hush" not in repr(config)
    shown = {name: OPTIONS[name].shown(config.value(OPTIONS[name])) for name in given}
    assert shown == {
        "security.password_pepper": MASK,
        "mail.password": MASK,
        "tls.password": MASK,
        "database.uri": f"mongodb://crossbar:{MASK}@db.example.com/?replicaSet=rs0",
    }


def test_a_bad_secret_is_not_shown_in_the_message() -> None:
    assert "hush" not in "".join(problems(security__password_pepper="hush", server__port="x"))


def test_the_fill_rate_is_per_second() -> None:
    config = Config.load(overrides={"buckets.tokens_fill_rate": "30", "buckets.tokens_fill_time": "minute"})
    assert config.buckets.rate_per_second == 0.5


def test_a_configuration_can_be_sent_to_another_process() -> None:
    config = Config.load(overrides={"server.port": "9000"})
    sent = pickle.loads(pickle.dumps(config))
    assert sent == config
    assert sent.origin(OPTIONS["server.port"]) == "command line"


def test_the_example_file_holds_the_defaults() -> None:
    assert Config.load(ROOT / "config.example.ini") == Config()


@pytest.mark.parametrize(
    ("file", "text"), [("config.example.ini", manual.example()), ("docs/configuration.md", manual.manual())]
)
def test_pages_made_from_the_declarations_are_current(file: str, text: str) -> None:
    assert (ROOT / file).read_text() == text, "run `make docs`"


SOURCES = {file: file.read_text() for file in (ROOT / "crossbar").rglob("*.py")}


@pytest.mark.parametrize("declared", OPTIONS.values(), ids=lambda declared: declared.path)
def test_every_option_is_read_somewhere(declared: Option) -> None:
    section = type(getattr(Config(), declared.section)).__name__
    users = [text for text in SOURCES.values() if f".{declared.section}" in text or section in text]
    # Its declaration is no use of it; `self.name` in a property of its section is.
    assert any(re.search(rf"\.{declared.name}\b", text) for text in users), f"nothing acts on {declared.path}"
