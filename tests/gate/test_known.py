"""Helpers that live as long as pytest."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.gate import known as gate_known
from pytest_tfkernel.model.resources import Kind


class TestKnown:
    @pytest.mark.parametrize(
        ("kind", "name"),
        [
            (Kind.PROCESS, "python -c from multiprocessing.resource_tracker import main;main(5)"),
            (Kind.PROCESS, "python -c from multiprocessing.forkserver import main; main(5, 6, [], **{})"),
            (Kind.PROCESS, "python -m joblib.externals.loky.backend.popen_loky_posix --process-name LokyProcess-1"),
            (Kind.FILE, "/tmp/__autograph_generated_file8x.py"),
            (Kind.FILE, "/tmp/pymp-abcd_123"),
        ],
    )
    def test_helper_is_found(self, kind: Kind, name: str) -> None:
        assert gate_known.find(gate_known.KNOWN, kind, name) is not None

    @pytest.mark.parametrize(
        ("kind", "name"), [(Kind.PROCESS, "sleep 60"), (Kind.FILE, "/tmp/tmpabcdefgh"), (Kind.SOCKET, "tcp 0.0.0.0:80")]
    )
    def test_anything_else_is_not(self, kind: Kind, name: str) -> None:
        assert gate_known.find(gate_known.KNOWN, kind, name) is None


def test_helpers_that_are_known_stand_in_the_document() -> None:
    text = (Path(__file__).parents[2] / "docs/gate.md").read_text(encoding="utf-8")
    rows = [f"| `{one.kind.value}` | `{one.pattern}` | {one.what} |" for one in gate_known.KNOWN]
    assert [row for row in rows if row not in text] == []


class TestOfTheProject:
    def test_each_line_is_one(self) -> None:
        found = gate_known.parse(["process: *my-daemon* ", "temporary-file:/tmp/a:b"])
        assert [(one.kind, one.pattern, one.what) for one in found] == [
            (Kind.PROCESS, "*my-daemon*", "process *my-daemon*"),
            (Kind.FILE, "/tmp/a:b", "temporary-file /tmp/a:b"),
        ]

    @pytest.mark.parametrize("line", ["process", "process:", "process: ", "*my-daemon*"])
    def test_a_line_without_a_pattern_says_how_it_is_written(self, line: str) -> None:
        with pytest.raises(ValueError, match="write kind:pattern, as in process"):
            gate_known.parse([line])

    @pytest.mark.parametrize("name", ["deamon", "", "handle", "cuda-context", "gpu-memory"])
    def test_a_kind_that_no_test_leaves_names_the_choice(self, name: str) -> None:
        with pytest.raises(ValueError, match="unknown kind; choose from process, "):
            gate_known.kind_of(name)

    def test_what_is_no_text_is_no_kind(self) -> None:
        with pytest.raises(ValueError, match="7: unknown kind"):
            gate_known.kind_of(7)  # type: ignore[arg-type]

    def test_one_that_is_named_twice_is_one(self) -> None:
        assert len(set(gate_known.parse(["process:a", "process:a", "process:b"]))) == 2
