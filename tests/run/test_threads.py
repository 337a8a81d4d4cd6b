"""What threads wait for, as the system says it."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_tfkernel.run.threads import Task, read


def _write(folder: Path, number: int, stat: str, place: str | None) -> None:
    (folder / "5" / "task" / str(number)).mkdir(parents=True)
    (folder / "5" / "task" / str(number) / "stat").write_text(stat, encoding="ascii")
    if place is not None:
        (folder / "5" / "task" / str(number) / "wchan").write_text(place, encoding="ascii")


def test_each_in_words(tmp_path: Path) -> None:
    _write(tmp_path, 10, "10 (a) (b) S 1 1", "futex_do_wait")
    _write(tmp_path, 9, "9 (python) R 1 1", "0")
    _write(tmp_path, 11, "11 (odd) Q 1 1", None)
    assert list(map(str, read(5, tmp_path))) == [
        "python (9) runs",
        "a) (b (10) waits for a lock",
        "odd (11) is in state Q",
    ]


def test_the_main_one_is_first_whatever_its_number(tmp_path: Path) -> None:
    for number in (3, 5, 4):
        _write(tmp_path, number, f"{number} (python) S 1 1", None)
    assert [one.number for one in read(5, tmp_path)] == [5, 3, 4]


def test_what_is_gone_or_nonsense_is_passed_over(tmp_path: Path) -> None:
    _write(tmp_path, 10, "nonsense", None)
    assert read(5, tmp_path) == ()
    assert read(6, tmp_path) == ()


def test_of_a_real_process() -> None:
    (found, *_) = read(os.getpid())
    assert isinstance(found, Task)
    assert found.number == os.getpid()
