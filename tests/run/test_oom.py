"""The log of the Linux kernel: whom the OOM killer took, and whose that was."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.run.oom import Taken, look, read_log, victims

LINES = [
    "python invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a/tfkernel-1-2-3-4,task=py,thon (x),pid=77,uid=0",
    "Memory cgroup out of memory: Killed process 77 (py,thon (x)) total-vm:1kB, anon-rss:2048kB, file-rss:0kB",
    "Out of memory: Killed process 99 (other) total-vm:1kB, anon-rss:4kB, file-rss:0kB",
]


@pytest.mark.parametrize(("cgroups", "pids"), [(["tfkernel-1-2-3-4"], []), ([], [77])])
def test_ours_are_known_by_cgroup_or_number(cgroups: list[str], pids: list[int]) -> None:
    (found,) = victims(LINES, cgroups, pids)
    assert (found.pid, found.task) == (77, "py,thon (x")
    assert found.rss == 2048 * 1024


def test_those_of_others_are_not_ours() -> None:
    assert victims(LINES, ["tfkernel-1-2-3-5"], [1]) == ()


def test_a_machine_without_the_longer_line_is_known_by_number() -> None:
    assert victims(LINES[3:], [], [99]) == (Taken(99, "other", 4096),)


def test_what_was_before_is_left_out(tmp_path: Path) -> None:
    # A file is read as one record; each of a real log is a read of its own.
    (tmp_path / "kmsg").write_text("6,1,5000000,-;old\n SUBSYSTEM=x\n", encoding="ascii")
    assert read_log(4.0, tmp_path / "kmsg") == ["old"]
    assert read_log(7.0, tmp_path / "kmsg") == []


def test_nonsense_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "kmsg").write_bytes(b"\xff;;nonsense\n")
    assert read_log(0.0, tmp_path / "kmsg") == []


def test_without_a_log_the_count_is_told_and_why_there_is_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tfkernel.run.oom.read_log", lambda _: (_ for _ in ()).throw(PermissionError(1, "no")))
    found = look(0.0, [], [], 3)
    assert (found.count, found.taken, found.blind) == (3, (), "/dev/kmsg can't be read: no")
