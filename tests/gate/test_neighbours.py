"""Who else may have made what nobody uses."""

from __future__ import annotations

import os
import types

import pytest

from pytest_tfkernel._child import proc, system
from pytest_tfkernel.gate import neighbours


class TestNeighbours:
    def test_another_session_is_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = {100: "python -m pytest tests", 1: "init", os.getpid(): "python -m pytest"}
        parents = {100: 1, 1: 0, os.getpid(): 1}
        self._pretend(monkeypatch, lines, parents)
        assert neighbours.are_there()

    @pytest.mark.parametrize("line", ["python -m pytest-of", "vim test_pytest.py", "sleep 60", ""])
    def test_another_program_is_none(self, monkeypatch: pytest.MonkeyPatch, line: str) -> None:
        self._pretend(monkeypatch, {100: line, os.getpid(): "pytest"}, {100: 1, os.getpid(): 1})
        assert not neighbours.are_there()

    def test_those_above_and_below_are_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lines = {10: "/venv/bin/pytest", 11: "bash", os.getpid(): "pytest", 1000000: "pytest -k one"}
        self._pretend(monkeypatch, lines, {10: 1, 11: 10, os.getpid(): 11, 1000000: os.getpid()})
        assert not neighbours.are_there()

    @pytest.mark.parametrize("parent", [10, 11, 12], ids=["worker", "its child", "child of the test above"])
    def test_what_runs_beside_us_below_a_pytest_is_one(self, monkeypatch: pytest.MonkeyPatch, parent: int) -> None:
        lines = {10: "pytest -n 2", 11: "python -c worker", 12: "python -c worker", os.getpid(): "pytest", 13: "cat"}
        self._pretend(monkeypatch, lines, {10: 1, 11: 10, 12: 10, os.getpid(): 12, 13: parent})
        assert neighbours.are_there()

    @pytest.mark.parametrize(
        ("line", "parent"), [("isolation", 11), ("supervisor", 11), ("isolation", 10), ("kernel", 11)]
    )
    def test_what_an_isolated_test_is_forked_from_waits(
        self, monkeypatch: pytest.MonkeyPatch, line: str, parent: int
    ) -> None:
        child = "python /site-packages/pytest_tfkernel/_child"
        lines = {10: "pytest", 11: f"{child} supervisor 3", os.getpid(): f"{child} isolation", 13: f"{child} {line}"}
        self._pretend(monkeypatch, lines, {10: 1, 11: 10, os.getpid(): 11, 13: parent})
        assert neighbours.are_there() == ((line, parent) != ("isolation", 11))

    @pytest.mark.parametrize(
        ("pids", "ipc", "hidden"),
        [(0xEFFFFFFC, 0xEFFFFFFF, False), (4026532000, 0xEFFFFFFF, True), (4026532000, 4026532001, False)],
        ids=["the machine", "a container with the machine's shared memory", "a container"],
    )
    def test_those_whom_a_namespace_hides_may_be_there(
        self, monkeypatch: pytest.MonkeyPatch, pids: int, ipc: int, hidden: bool
    ) -> None:
        self._pretend(monkeypatch, {os.getpid(): "pytest"}, {os.getpid(): 1})
        numbers = {"/proc/self/ns/pid": pids, "/proc/self/ns/ipc": ipc}
        monkeypatch.setattr(system, "status", lambda path: types.SimpleNamespace(st_ino=numbers[path]))
        assert neighbours.are_there() == hidden

    @staticmethod
    def _pretend(monkeypatch: pytest.MonkeyPatch, lines: dict[int, str], parents: dict[int, int]) -> None:
        monkeypatch.setattr(proc, "pids", lambda: list(lines))
        monkeypatch.setattr(proc, "command_line", lambda pid: lines[pid])
        monkeypatch.setattr(proc, "find_stat", lambda pid: types.SimpleNamespace(parent=parents[pid]))
