"""`python -m pytest_tfkernel history`, without the process."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

import documents
from histories import on, put
from pytest_tfkernel.report.history import command
from pytest_tfkernel.report.saved import SavedRuns

RUN = documents.document(2)
FAILED = documents.with_verdict(RUN, 1, verdict="FAIL")


def history(*words: str | Path) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args(list(map(str, words))))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, of which the second one fails."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    put(tmp_path / "runs", [RUN, FAILED, RUN])
    return tmp_path


def answer(*words: str | Path) -> str:
    code, out, err = history(*words)
    assert (code, err) == (0, "")
    return out.splitlines()[0]


def test_folders_and_files_are_shown(folder: Path) -> None:
    whole = "3 runs, 2026-01-01 to 2026-01-03: 1 of 2 guarantees and none of 3 tests changed"
    assert answer("runs") == answer("runs/3.json", "runs/1.json", "runs/2.json", "runs") == whole
    assert answer("runs", "--last=2").startswith("2 runs, 2026-01-02 to 2026-01-03: 1 of 2")
    assert answer("runs/1.json").startswith("1 run, ")


def test_saved_runs_are_shown_by_name_by_number_or_all(folder: Path) -> None:
    saved = SavedRuns(folder / ".tfkernel")
    for day, name in ((1, "a"), (2, ""), (3, "a")):
        run = on(day, RUN)
        documents.write(saved.claim(name, documents.start(run)), run)
    assert answer().startswith("3 runs, 2026-01-01 to 2026-01-03")
    assert answer("a").startswith("2 runs, 2026-01-01 to 2026-01-03")
    assert answer("1", "2").startswith("2 runs, 2026-01-01 to 2026-01-02")
    assert answer("last", "runs/1.json").startswith("2 runs, 2026-01-01 to 2026-01-03")


def test_what_cannot_be_read_is_a_line_and_no_error(folder: Path) -> None:
    (folder / "runs" / "bad.json").write_text("[")
    code, out, err = history("runs")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("left out: runs/bad.json is cut short")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no run document in .tfkernel: write one with --tfkernel-report=FOLDER/ or --tfkernel-save"),
        (("empty",), "no run document in empty: write one with --tfkernel-report=FOLDER/ or --tfkernel-save"),
        (("none.json",), "none.json doesn't exist"),
        (("bad",), "bad/a.json is empty (and 1 more that can't be read)"),
        (("last",), "last: no run was saved in .tfkernel yet; --tfkernel-save keeps one"),
        (("runs", "--last=0"), "usage error: --last=0: how many runs?"),
        (("runs", "--page=runs/1.json"), "runs/1.json is a run document: name another file for the page"),
        (("runs", "--page=runs"), "runs is a folder: name a file"),
    ],
)
def test_what_cannot_be_shown_is_one_line(folder: Path, words: tuple[str, ...], said: str) -> None:
    (folder / "empty").mkdir()
    (folder / "bad").mkdir()
    (folder / "bad" / "a.json").touch()
    (folder / "bad" / "b.json").touch()
    assert history(*words) == (2, "", f"history: {said}\n")


def test_page_is_written_and_an_older_one_stays_until_then(folder: Path) -> None:
    assert history("runs", "--page=all.html")[1].splitlines()[-1] == "wrote all.html"
    assert "3 runs, 2026-01-01 to 2026-01-03" in (folder / "all.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["all.html", "runs"]


def test_a_library_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'jinja2'", name="jinja2")

    monkeypatch.setattr(command, "_write", missing)
    assert history("runs", "--page=all.html") == (
        2,
        "",
        "history: jinja2 is missing: pip install 'pytest-tfkernel[html]'\n",
    )


def test_runs_that_were_cut_short_are_shown_as_such(folder: Path) -> None:
    cut = documents.write(folder / "cut.json", msgspec.structs.replace(on(9, RUN), end=None))
    assert "  CUT SHORT  cut.json.incomplete" in history(cut)[1]
