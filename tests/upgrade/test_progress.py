"""What a person sees meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tfkernel.upgrade.progress import Far, Progress, read


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_in_a_log_there_is_a_line_for_each_step_and_one_now_and_then() -> None:
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, watched=False, clock=clock)
    with progress.begin("installing") as step:
        step.detail = lambda: "half"
        for clock.now in (10.0, 29.0, 31.0, 45.0):
            step.tick()
    assert said == ["upgrade: installing\n", "upgrade: installing, half, 31 s\n", "upgrade: installing, half, 45 s\n"]


def test_on_a_terminal_one_line_is_written_anew_with_all_that_goes_on() -> None:
    said: list[str] = []
    clock = Clock()
    progress = Progress(said.append, watched=True, clock=clock)
    one = progress.begin("one")
    clock.now = 2.0
    two = progress.begin("two\n")
    two.detail = lambda: "test 1 of 2"
    two.tick()
    one.__exit__(None, None, None)
    progress.clear()
    assert said == [
        "\r\x1b[Kupgrade: one, 0 s",
        "\r\x1b[Kupgrade: one, 2 s; two\\n, 0 s",
        "\r\x1b[Kupgrade: one, 2 s; two\\n, test 1 of 2, 0 s",
        "\r\x1b[Kupgrade: one, 2 s\n",
        "\r\x1b[K",
    ]


@pytest.mark.parametrize(("width", "shown"), [(40, "upgrade: environment 1 of 2 (2.18): ins"), (1, "u"), (0, "u")])
def test_a_line_that_is_written_anew_is_one_line_of_the_terminal(width: int, shown: str) -> None:
    said: list[str] = []
    progress = Progress(said.append, watched=True, width=lambda: width)
    progress.begin("environment 1 of 2 (2.18): installing with pip")
    assert said == [f"\r\x1b[K{shown}"]


def test_what_failed_is_not_told_as_done() -> None:
    said: list[str] = []
    progress = Progress(said.append, watched=False)
    with pytest.raises(ValueError, match="x"), progress.begin("installing"):
        raise ValueError("x")
    progress.show()
    assert said == ["upgrade: installing\n"]


def test_how_far_a_run_is_can_be_read_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    assert str(read(path)) == "collecting"
    lines = [{"uncollected": ["a.py", "why"]}, {"collected": [7, 12]}, {"done": [1, 0]}, {"done": [2, 5]}]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines) + '{"done": [3,')
    found = read(path)
    assert found == Far(2, 7, 5, 12, (("a.py", "why"),))
    assert str(found) == "trial 2 of 7, test 5 of 12"
    path.write_text('nonsense\n{"done": 1}\n[1]\n{"collected": [0, 3]}\n')
    assert str(read(path)) == "test 0 of 3"
