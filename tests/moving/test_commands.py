# SPDX-License-Identifier: MPL-2.0
"""What `crossbar export` and `crossbar import` say of what they cannot do."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from crossbar import cli
from crossbar.cli import moving_commands
from crossbar.moving.file_format import AccountFile, writing
from crossbar.moving.report import MovingReport
from crossbar.moving.trouble import CannotMove

UNREACHABLE = {"CROSSBAR_DATABASE__URI": "mongodb://127.0.0.1:1/", "CROSSBAR_DATABASE__TIMEOUT_MS": "100"}


def crossbar(*arguments: str | Path, stdin: str = "", **variables: str) -> Result:
    """Run a command where no database answers."""
    return CliRunner(env=UNREACHABLE | variables).invoke(cli.main, [str(one) for one in arguments], input=stdin)


def empty_file(path: Path, passphrase: str | None = None) -> Path:
    """A file without any account."""
    with writing(path, passphrase) as file:
        file.header({"account": {}, "documents": 0, "pepper": "", "secrets": True})
        file.trailer({"consistent": True, "left_out": []})
    return path


@pytest.mark.parametrize("arguments", [(), ("file", "--from", "http://127.0.0.1/")])
def test_a_file_or_an_api_is_wanted(arguments: tuple[str, ...]) -> None:
    refused = crossbar("import", *arguments)
    assert (refused.exit_code, "Either FILE or --from is wanted" in refused.output) == (2, True)


def test_an_api_wants_an_account() -> None:
    assert "--from wants --account" in crossbar("import", "--from", "http://127.0.0.1/").output


@pytest.mark.parametrize(
    ("contents", "told"), [(None, "No such file"), (b"", "is no export"), (b"no gzip at all", "is no export")]
)
def test_a_file_that_is_none(logging_put_back: None, tmp_path: Path, contents: bytes | None, told: str) -> None:
    path = tmp_path / "account"
    if contents is not None:
        path.write_bytes(contents)
    refused = crossbar("import", path)
    assert (refused.exit_code, told in refused.output, "Traceback" in refused.output) == (1, True, False)


def test_a_newer_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossbar.moving.file_format.VERSION", 2)
    path = empty_file(tmp_path / "account")
    monkeypatch.undo()
    assert "version 2, this server reads 1" in crossbar("import", path).output


def test_the_passphrase_is_asked_for_or_stands_in_the_environment(logging_put_back: None, tmp_path: Path) -> None:
    path = empty_file(tmp_path / "account", "hush")
    assert AccountFile.checked(path, "hush").counts["consistent"]
    assert "is encrypted" in crossbar("import", path).output
    assert "another one" in crossbar("import", path, "--passphrase", stdin="wrong\n").output
    for right in (
        crossbar("import", path, "--passphrase", stdin="hush\n"),
        crossbar("import", path, CROSSBAR_PASSPHRASE="hush"),
    ):
        assert "connection refused" in right.output.lower()


def test_a_folder_that_cannot_be_written_to(logging_put_back: None, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="cannot write"), writing(tmp_path / "nowhere" / "account", None):
        pass


def test_a_report_that_cannot_be_written_is_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = MovingReport()
    report.count("created", "menu")
    file = tmp_path / "nowhere" / "report"
    with pytest.raises(click.ClickException, match=str(file)):
        moving_commands._tell(report, file, dry_run=False)
    assert "Created 1, updated 0, skipped 0." in capsys.readouterr().out


def test_a_line_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = empty_file(tmp_path / "account")
    monkeypatch.setattr("crossbar.moving.file_format.LONGEST_LINE", 30)
    with pytest.raises(CannotMove, match="damaged"):
        AccountFile.checked(path, None)
