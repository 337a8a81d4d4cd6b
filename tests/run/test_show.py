"""A run in words: nothing where all went well, and everything that is known of a death."""

from __future__ import annotations

from pytest_tfkernel.model.processes import Cause, Killer, Leftover, ProcessId
from pytest_tfkernel.model.resources import Audit, Kind, Leak, Resource
from pytest_tfkernel.run import show
from pytest_tfkernel.run.oom import OomRecord, Taken
from stories import STACK, dead, story

ENDED = dead(Cause.EXIT, Killer.SELF, code=0)
OOM = dead(Cause.OOM_KILL, Killer.OOM_KILLER, signal=9)
LEFT = (Leftover(ProcessId(7, 1), 1, "S", "sleep 62"),)


def test_nothing_is_said_of_a_good_end() -> None:
    assert show.story(story(ENDED)) == ""


def test_an_exit_code_is_a_line_and_no_death() -> None:
    found = story(dead(Cause.EXIT, Killer.SELF, code=3))
    assert show.story(found) == "pytest-tfkernel: train.py ended with exit code 3\n"
    assert not found.has_died


def test_an_interrupt_of_the_person_is_no_death_and_one_of_a_fault_is() -> None:
    found = dead(Cause.SIGNAL, Killer.US, signal=2)
    assert show.story(story(found, interrupts=1)) == ""
    assert "of SIGINT" in show.story(story(found, fault="interrupt struck after 1 s"))


def test_a_crash_after_an_interrupt_is_a_death() -> None:
    assert story(dead(Cause.SIGNAL, Killer.SELF, signal=11), interrupts=1).has_died


def test_a_kernel_that_runs_cells_has_died_unless_it_was_asked_to_end() -> None:
    # As `os._exit(0)` ends it, and as one of Jupyter's ends that waits for what it has started.
    assert story(ENDED, cell=2).has_died
    assert not story(ENDED, cell=2, asked=True).has_died
    assert not story(dead(Cause.SIGNAL, Killer.US, signal=15), cell=2, asked=True).has_died
    assert story(dead(Cause.SIGNAL, Killer.SELF, signal=11), cell=2, asked=True).has_died


def test_what_is_left_is_told_whatever_the_end() -> None:
    leak = Leak(Resource(Kind.SHARED_MEMORY, "/dev/shm/x"), 1)
    known = Leak(Resource(Kind.PROCESS, "7"), 1)
    found = story(ENDED, left=LEFT, audit=Audit((leak, known)))
    assert show.story(found) == (
        "pytest-tfkernel: train.py left behind: shared-memory /dev/shm/x; process 7 (ended since)\n"
    )
    assert "--- left behind\nprocess 7 (sleep 62) (ended since)\n" in show.story(story(OOM, left=LEFT))


def test_a_death_has_all_that_is_known() -> None:
    found = story(
        dead(Cause.SIGNAL, Killer.SELF, signal=11, stack=STACK),
        oom=OomRecord(2, (Taken(4242, "python"), Taken(9, "worker", 1 << 20)), ""),
        kernel="subprocess, Python 3.11",
    )
    text = show.story(found)
    assert text.startswith("\npytest-tfkernel: train.py: kernel 4242 died after 2.0 s of SIGSEGV")
    for part in (
        "--- kernel\nsubprocess, Python 3.11\n",
        "at most 64 MiB in 2.0 s; limit: 64 MiB (a cgroup of its own)\n",
        "counted in its cgroup: 2\n",
        "names python (4242), itself\n",
        "names worker (9), a process that it had started, which held 1 MiB\n",
        '  File "/home/train.py", line 7 in step\n',
        "--- last lines of stdout\nstep 1\n",
        "--- left behind\nnothing\n",
        "--- what people do about it\nNative code crashed",
    ):
        assert part in text
    assert "_child" not in text
    assert "runpy" not in text


def test_a_last_cell_has_its_number() -> None:
    assert "--- last cell, which is cell 3\npython train.py\n" in show.story(story(OOM, cell=3))


def test_a_long_stack_and_long_output_are_cut() -> None:
    stack = "Current thread 0x2:\n" + "".join(f'  File "x.py", line {n} in f\n' for n in range(100))
    text = show.story(story(dead(Cause.DEADLINE, Killer.US, signal=9, stack=stack, stdout="line\n" * 50)))
    assert "... 61 more lines" in text
    assert text.count("line\n") < 20


def test_what_would_break_a_terminal_is_escaped() -> None:
    text = show.story(story(dead(Cause.DEADLINE, Killer.US, signal=9, stdout="\x1b[2J\x07\n"), name="a\nb.py"))
    assert "\x1b" not in text
    assert "a\\nb.py: kernel" in text
