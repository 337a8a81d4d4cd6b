"""The report as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tfkernel.model.processes import Cause, Killer
from pytest_tfkernel.run import reports
from pytest_tfkernel.run.refusals import WishError
from stories import STACK, dead, story

FOUND = story(dead(Cause.SIGNAL, Killer.SELF, signal=11, stack=STACK))


def test_as_json_it_has_all_that_is_known(tmp_path: Path) -> None:
    reports.write(tmp_path / "run.json", FOUND)
    told = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert (told["schema"], told["code"], told["died"], told["post_mortem"]["signal"]) == (1, 139, True, 11)
    assert told["memory"]["limit"] == {"size": 64 << 20, "place": "a cgroup of its own"}
    assert told["memory"]["samples"][1] == [1.0, 60 << 20]
    assert told["post_mortem"]["stack"] == STACK
    assert told["advice"][0]["matter"].startswith("Native code crashed")


def test_as_a_page(tmp_path: Path) -> None:
    (tmp_path / "run.html").write_text("older", encoding="utf-8")
    reports.write(tmp_path / "run.html", FOUND)
    assert (tmp_path / "run.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [one.name for one in tmp_path.iterdir()] == ["run.html"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.txt", "name it .html or .json"), ("none/a.html", "no such folder"), ("b.json", "or it is one")],
)
def test_a_place_that_cannot_be_is_known_before(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "b.json").mkdir()
    with pytest.raises(WishError, match=words):
        reports.check(tmp_path / name)


def test_one_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="x"):
        reports.write(tmp_path / "none" / "x.html", FOUND)
    assert list(tmp_path.iterdir()) == []
