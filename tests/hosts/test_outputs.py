"""What a cell shows, in a file."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_tfkernel._child.ipython import MIME
from pytest_tfkernel.hosts.outputs import OutputFile


def test_each_output_is_a_line_and_nothing_else_is(tmp_path: Path) -> None:
    outputs = OutputFile(str(tmp_path / "shown"))
    outputs.add("status", {"execution_state": "busy"})
    outputs.add("stream", {"name": "stdout", "text": "a\nb\ud800"})
    outputs.add("execute_result", {"data": {"text/plain": "1", MIME: "{}"}, "metadata": {}, "odd": object})
    outputs.close()
    outputs.add("stream", {"name": "stdout", "text": "late"})
    outputs.close()
    stream, result = map(json.loads, (tmp_path / "shown").read_text(encoding="ascii").splitlines())
    assert stream == {"kind": "stream", "content": {"name": "stdout", "text": "a\nb\ud800"}}
    assert result["content"]["data"] == {"text/plain": "1"}


def test_one_that_cannot_be_written_harms_nobody(tmp_path: Path) -> None:
    outputs = OutputFile(str(tmp_path / "none" / "shown"))
    outputs.add("stream", {"name": "stdout", "text": "x"})
    outputs.close()
    full = OutputFile("/dev/full")
    full.add("stream", {"name": "stdout", "text": "x"})
    full.close()
