"""`python -m pytest_tfkernel upgrade`: nonsense is a line, before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel import __main__ as program

CANNOT = 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["", "2.21"], "'' is neither a version, nor what pip installs, nor an interpreter"),
        (["2.20", "foo bar"], "foo bar is neither a version, nor an interpreter, nor what pip installs: "),
        (["2.20", "/nowhere/python"], "/nowhere/python isn't there: name an interpreter"),
        (["2.20", "2.20"], "usage error: 2.20 and 2.20 are one and the same"),
        (["2.20", "tensorflow-cpu == 2.20.*"], "usage error: 2.20 and tensorflow-cpu == 2.20.* are one and the same"),
        (["2.20", "2.21", "--no-suite"], "usage error: --no-suite, and no tests are named"),
        (["2.20", "2.21", "--no-suite", "--", "tfkernel::a[b]"], "usage error: --no-suite, and ids of it are named"),
        (["2.20", "2.21", "--", "--tfkernel"], "usage error: --tfkernel after --: upgrade itself says that to pytest"),
        (["2.20", "2.21", "--", "tests", "--tfkernel-report=a.json"], "usage error: --tfkernel-report=a.json after --"),
        (
            ["2.20", "2.21", "--", "tests", "-p", "no:tfkernel"],
            "usage error: no:tfkernel after --: upgrade itself says",
        ),
        (["2.20", "2.21", "-r", "nowhere.txt"], "-r nowhere.txt: "),
        (["2.20", "2.21", "-e", "nowhere"], "-e nowhere: "),
        (["2.20", "2.21", "--install=-r"], "--install=-r: name a requirement or a path"),
        (["2.20", "2.21", "--python=/nowhere/python"], "--python=/nowhere/python: there is no such interpreter"),
        (
            ["2.20", "2.21", "--python=/bin/echo"],
            "--python=/bin/echo is no Python interpreter: asked for its version, it",
        ),
        (
            ["2.20", "2.21", "--python=./old"],
            "--python=./old is Python 3.7.16, and pytest-tfkernel, which goes into each",
        ),
        (["2.20", "2.21", "--fail-on=worse"], "--fail-on=worse: unknown; choose from"),
        (["2.20", "2.21", "--expect=nowhere.json"], "nowhere.json can't be read: No such file"),
        (["2.20", "2.21", "--page=page.txt"], "usage error: --page=page.txt: give a name that ends in .html"),
        (["2.20", "2.21", "--on=error"], "usage error: --on is for --bisect"),
        (["2.20", "2.21", "--package=numpy"], "usage error: --package is for --bisect"),
        (["2.20", "2.21", "--folder=no/such/folder"], "no/such/folder can't be made: there is no folder"),
        (["2.20", "2.21", "--folder=file"], "file is not a folder: name another one"),
        (["2.20", "2.21", "--folder=theirs"], "has files that are not of an upgrade (train.py)"),
        (["--bisect", "2.20", "2.21"], "usage error: --bisect, and nothing to look at: write `-- ID`"),
        (["--bisect", "2.20", "2.21", "--on=speed", "--", "a.py"], "usage error: --on=speed: unknown; choose from"),
        (["--bisect", "2.20", "2.21", "--on=slower", "--", "a.py"], "--on=slower: how many percent?"),
        (["--bisect", "2.20", "2.21", "--page=a.html", "--", "a.py"], "usage error: --page, --markdown, --fail-on"),
        (["--bisect", "2.20", "2.21", "--tensorflow=2.20", "--", "a.py"], "usage error: --tensorflow is for --package"),
        (
            ["--bisect", "2.20", "2.21", "--", "tests/a.py::test"],
            "usage error: tests/a.py is neither a file nor a guar",
        ),
        (["--bisect", "2.20", "2.21", "--", "interrupt-is-herd"], "a guarantee: do you mean interrupt-is-heard?"),
        (
            ["--bisect", "2.20", "2.21", "--", "tfkernel::graph-ad[a]"],
            "graph-ad is no guarantee: do you mean graph-add?",
        ),
        (["--bisect", "2.20", "2.21", "--", "interrupt-is-heard", "-x"], "is of the suite: nothing else goes with it"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_nonsense_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "old").write_text("#!/bin/sh\necho 3.7.16\n")
    (tmp_path / "old").chmod(0o755)
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs/train.py").touch()
    assert program.main(["upgrade", *words]) == CANNOT
    found = capsys.readouterr()
    assert found.out == ""
    assert said in found.err
    assert found.err.startswith("upgrade: ")
    assert found.err.count("\n") == 1
    # Nothing is made yet, not even the folder.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "old", "theirs"]


def test_where_words_for_pytest_stand_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["upgrade", "2.20", "2.21", "tests"])
    assert ended.value.code == CANNOT
    assert "unrecognized arguments: tests; what is for pytest stands behind --\n" in capsys.readouterr().err


def test_a_folder_that_is_gone_is_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert program.main(["upgrade", "2.20", "2.21", "--no-suite", "--", "tests"]) == CANNOT
    said = "upgrade: the folder in which this runs can't be used: No such file or directory; change to another one\n"
    assert capsys.readouterr().err == said


def test_a_number_of_workers_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["upgrade", "2.20", "2.21", "--workers=-1"])
    assert ended.value.code == CANNOT
    assert "-1 is not a number of workers" in capsys.readouterr().err
