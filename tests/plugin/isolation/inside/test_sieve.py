"""Who is told to have made forks unsafe, and what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from pytest_tfkernel.plugin.isolation.inside.sieve import LeftOut, Sieve


class Own:
    """Notes what is told, and answers as it is told."""

    def __init__(self, answer: str = "go-on") -> None:
        self.sent: list[dict[str, Any]] = []
        self.reason: str | None = None
        self.answer = answer

    def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def next(self, _: object) -> dict[str, Any]:
        return {"kind": self.answer}

    def unsafe(self) -> str | None:
        return self.reason


def collector(path: str | Path, kind: type = pytest.File) -> Any:
    return Mock(spec=kind, path=Path(path), nodeid=Path(path).name)


def sieve(own: Any, left_out: LeftOut, **request: object) -> Sieve:
    made = Sieve(own, left_out)
    made.begin({"kind": "collect", "only": None, "without": [], **request})
    return made


def collect(one: Sieve, node: Any) -> None:
    wrapper = one.pytest_make_collect_report(node)
    next(wrapper)
    with pytest.raises(StopIteration) as stopped:
        wrapper.send("report")
    assert stopped.value.value == "report"


def test_the_first_one_is_told_once() -> None:
    own = Own()
    one = sieve(own, LeftOut())
    collect(one, collector("/a.py"))
    own.reason = "threads"
    for name in ("/b.py", "/c.py"):
        collect(one, collector(name))
    assert own.sent == [{"kind": "unsafe", "path": "/b.py", "reason": "threads"}]


def test_nobody_looks_where_one_file_is_collected() -> None:
    own = Own()
    own.reason = "threads"
    collect(sieve(own, LeftOut(), only="/a.py"), collector("/a.py"))
    # And what a session has done before its files isn't theirs.
    collect(sieve(own, LeftOut()), collector("/", pytest.Session))
    assert own.sent == []


def test_it_asks_of_what_may_run_code_and_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    (tmp_path / "with" / "conftest.py").touch()
    own, left_out = Own("leave-out"), LeftOut()
    one = sieve(own, left_out, asks=True, known=["/a.py"], without=["/b.py"])
    nodes = [collector(name) for name in ("/a.py", "/b.py", "/c.py")]
    nodes += [collector("/c.py", pytest.Class), collector(tmp_path, pytest.Directory)]
    nodes.append(collector(tmp_path / "with", pytest.Directory))
    for node in nodes:
        one.pytest_collectstart(node)
    assert [told["path"] for told in own.sent] == ["/c.py", str(tmp_path / "with")]
    assert left_out.paths == {"/b.py", "/c.py", str(tmp_path / "with")}


def test_what_is_left_out_is_not_collected_nor_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    left_out = LeftOut()
    left_out.paths = {"/tests/a.py", "/tests/folder"}
    report = left_out.pytest_make_collect_report(collector("/tests/a.py"))
    assert report is not None
    assert (report.outcome, report.result, left_out.ids) == ("passed", [], {"a.py"})
    for node in (collector("/tests/b.py"), collector("/tests/a.py", pytest.Class)):
        assert left_out.pytest_make_collect_report(node) is None
    args = ["tests/a.py::test", "/tests/a.py", "tests", "tests/folder/b.py", "tests/folder_b.py", "b.py::test[a.py]"]
    assert left_out.others(args) == ["tests", "tests/folder_b.py", "b.py::test[a.py]"]
