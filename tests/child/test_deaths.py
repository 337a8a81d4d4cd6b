"""Where deaths are kept, and how one is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pytest_tfkernel._child import deaths

STACK = """\
Fatal Python error: Segmentation fault

Thread 0x1 (most recent call first):
  File "/lib/selectors.py", line 1 in select

Current thread 0x2 (most recent call first):
  File "/lib/ctypes/__init__.py", line 519 in string_at
  File "/tmp/ipykernel_1/2.py", line 5 in <module>
  File "/site/IPython/core/interactiveshell.py", line 1 in run_code
  File "/site/ipykernel_launcher.py", line 18 in <module>

Extension modules: zmq (total: 1)
"""


def _name(number: int) -> str:
    return f"{number:020d}-1.json"


def _write(folder: Path, name: str, **record: Any) -> None:
    (folder / name).write_text(json.dumps({"time": 1e9, "headline": name, **record}), encoding="utf-8")


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"XDG_STATE_HOME": "/x"}, "/x/pytest-tfkernel/deaths"),
        ({"XDG_STATE_HOME": "x"}, "/h/.local/state/pytest-tfkernel/deaths"),
    ],
)
def test_the_folder_is_that_of_the_specification(
    environment: dict[str, str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/h")
    assert deaths.folder(environment) == place


def test_without_a_home_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda _: "~")
    assert deaths.folder({}) == ""
    assert deaths.records("", 1) == []


class TestRecords:
    def test_the_latest_comes_first_and_no_more_than_asked_for(self, tmp_path: Path) -> None:
        for number in range(5):
            _write(tmp_path, _name(number))
        assert [one["headline"] for one in deaths.records(str(tmp_path), 2)] == [_name(4), _name(3)]

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '{"time": 1}', '{"headline": "x"}', '{"headline": "x", "time": "y"}',
                 '{"headline": "x", "time": true}', '{"headline": "x", "time": 1e99}', '{"headline": 1, "time": 1}', "[" * 99999],
    )  # fmt: skip
    def test_what_is_none_is_passed_over(self, tmp_path: Path, text: str) -> None:
        _write(tmp_path, _name(1))
        (tmp_path / _name(2)).write_text(text, encoding="utf-8")
        (tmp_path / _name(3)).write_bytes(b"\xff")
        (tmp_path / _name(4)).mkdir()
        (tmp_path / f".{_name(5)}").write_text("{}", encoding="utf-8")
        _write(tmp_path, "0.json")
        assert [one["headline"] for one in deaths.records(str(tmp_path), 9)] == [_name(1)]

    def test_a_folder_to_which_others_may_write_is_not_read(self, tmp_path: Path) -> None:
        _write(tmp_path, _name(1))
        tmp_path.chmod(0o777)
        assert deaths.records(str(tmp_path), 9) == []
        tmp_path.chmod(0o700)
        (tmp_path / "link").symlink_to(tmp_path)
        assert deaths.records(str(tmp_path / "link"), 9) == []
        assert deaths.records(str(tmp_path / "none"), 9) == []


class TestTold:
    RECORD: ClassVar[dict[str, Any]] = {
        "time": 1e9,
        "headline": "kernel 1 died",
        "last_cell": "x = 1\x1b",
        "cell_number": 3,
        "stack": STACK,
    }

    def test_the_whole_has_all_threads(self) -> None:
        text = deaths.tell(self.RECORD)
        assert text.splitlines()[0].endswith("  kernel 1 died")
        assert "--- last cell [3]\nx = 1\\x1b\n--- stack\nFatal" in text
        assert "Extension modules" in text

    def test_in_brief_it_has_the_frames_of_the_user(self) -> None:
        assert deaths.tell(self.RECORD, whole=False).splitlines()[3:] == [
            "--- stack",
            "Fatal Python error: Segmentation fault",
            "Current thread 0x2 (most recent call first):",
            '  File "/lib/ctypes/__init__.py", line 519 in string_at',
            '  File "/tmp/ipykernel_1/2.py", line 5 in <module>',
            "(and 1 other threads)",
        ]

    @pytest.mark.parametrize("stack", ["", "nonsense", "Thread 0x1:\n  File"])
    def test_a_stack_without_a_current_thread_is_as_it_is(self, stack: str) -> None:
        assert deaths.brief(stack) == stack

    def test_what_is_empty_has_no_part(self) -> None:
        assert "---" not in deaths.tell({"time": 0, "headline": "x", "stack": None, "stdout": ""})


def test_nothing_of_a_record_reaches_a_terminal_as_it_is() -> None:
    told = deaths.tell({"time": 1e9, "headline": "a\x1b[2J\nb", "last_cell": "x\x07", "cell_number": "\x1b]0;t"})
    assert "\x1b" not in told
    assert told.splitlines()[0].endswith("  a\\x1b[2J\\nb")
    assert told.splitlines()[1:] == ["--- last cell [\\x1b]0;t]", "x\\x07"]
