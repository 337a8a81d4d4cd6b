"""`pytest-tfkernel deaths`: the list, one of it, and what is said where there is none."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel._child import deaths
from pytest_tfkernel.deaths import command
from pytest_tfkernel.model.commands import Answer
from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.processes.postmortems import records
from stories import STACK, dead


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return Path(deaths.folder({"XDG_STATE_HOME": str(tmp_path)}))


def _run(*words: str) -> Answer:
    parser = argparse.ArgumentParser()
    command.declare(parser)
    return command.run(parser.parse_args(words))


def test_none_is_known(place: Path) -> None:
    assert _run() == (0, f"no death of a kernel is known, in {place}\n", "")
    code, out, err = _run("1")
    assert (code, out, err.count("\n")) == (2, "", 1)


def test_each_is_a_line_with_the_latest_first() -> None:
    records.keep(dead(Cause.EXIT, Killer.SELF, code=3, last_cell="x = 1\ny = 2"), cell_number=7)
    records.keep(dead(Cause.OOM_KILL, Killer.OOM_KILLER, signal=9, last_cell="z" * 200, usage=None))
    code, out, err = _run()
    head, latest, first = out.splitlines()
    assert (code, err) == (0, "")
    assert head.split() == ["when", "died", "of", "cause", "killed", "by", "memory", "last", "cell"]
    assert latest.startswith("1  ")
    assert "SIGKILL      oom-kill  the OOM killer             zzz" in latest
    assert latest.endswith("z...")
    assert "exit code 3  exit      the kernel itself  64 MiB  [7] x = 1 ..." in first


def test_one_of_them_is_shown_whole_and_all_of_them_as_json() -> None:
    records.keep(dead(Cause.SIGNAL, Killer.SELF, signal=11, stack=STACK))
    shown = _run("1")[1]
    assert "Thread 0x1 (most recent call first)" in shown
    # It ends where the script begins; the record has all.
    assert "line 7 in step" in shown
    assert "/_child/" not in shown
    assert "runpy" not in shown
    (told,) = json.loads(_run("--json")[1])
    assert told["stack"] == STACK
    assert json.loads(_run("1", "--json")[1]) == [told]


def test_a_record_of_another_make_breaks_nothing(place: Path) -> None:
    place.mkdir(parents=True, mode=0o700)
    odd: list[dict[str, Any]] = [{}, {"signal": 99999, "usage": [], "last_cell": 5}, {"signal": "x", "cell_number": {}}]
    for number, more in enumerate(odd):
        (place / f"{number:020d}-1.json").write_text(json.dumps({"time": 1, "headline": "x", **more}), encoding="utf-8")
    code, out, _ = _run()
    assert (code, out.count("\n")) == (0, 4)
