"""Which process below the supervisor is whose."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel._child.kin import TOKEN, Kin

# No pids of real processes.
ROOT, KERNEL, NEIGHBOUR, SERVER, ONE, TWO, THREE = range(5_000_000, 5_000_007)
OURS, THEIRS, SERVERS = 101, 102, 103
TICKS = os.sysconf("SC_CLK_TCK")


def process(pid: int, parent: int, *, session: int | None = None, group: int | None = None, start: int = 200) -> Any:
    session = pid if session is None else session
    group = session if group is None else group
    return {"pid": pid, "parent": parent, "session": session, "group": group, "start_time": start, "state": "S"}


def pids(found: list[proc.Process]) -> list[int]:
    return [one["pid"] for one in found]


@pytest.fixture
def kin() -> Kin:
    """Two kernels and a fork server. The first kernel began first."""
    kin = Kin(ROOT, lambda: 1000 / TICKS)
    kin.told(SERVER, 50, SERVERS)
    kin.claim(KERNEL, 100, OURS, [])
    kin.claim(NEIGHBOUR, 150, THEIRS, [])
    return kin


BOTH = (process(KERNEL, ROOT, start=100), process(NEIGHBOUR, ROOT, start=150))


def test_what_a_kernel_starts_is_its_own_whatever_it_wears(kin: Kin) -> None:
    below = [*BOTH, process(ONE, KERNEL), process(TWO, ONE, session=NEIGHBOUR), process(THREE, NEIGHBOUR)]
    assert pids(kin.members(OURS, below)) == [KERNEL, ONE, TWO]
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR, THREE]


def test_a_kernel_below_another_process_of_ours_is_of_itself(kin: Kin) -> None:
    below = [process(SERVER, ROOT, start=50), process(KERNEL, SERVER, start=100), process(ONE, KERNEL)]
    assert pids(kin.members(SERVERS, below)) == [SERVER]
    assert pids(kin.members(OURS, below)) == [KERNEL, ONE]


def test_an_orphan_is_known_by_its_session_or_group(kin: Kin) -> None:
    below = [*BOTH, process(ONE, ROOT, session=KERNEL), process(TWO, ROOT, group=KERNEL), process(THREE, ONE)]
    assert pids(kin.members(OURS, below)) == [KERNEL, ONE, TWO, THREE]
    # Also when their leader is dead.
    assert pids(kin.members(OURS, below[1:])) == [ONE, TWO, THREE]


def test_what_was_seen_once_is_known_for_ever(kin: Kin) -> None:
    kin.members(OURS, [*BOTH, process(ONE, KERNEL)])
    below = [process(ONE, ROOT), process(TWO, ROOT, session=ONE)]
    assert pids(kin.members(OURS, below)) == [ONE, TWO]
    assert pids(kin.members(OURS, below[1:])) == [TWO]


def test_a_pid_that_is_given_again_is_another_process(kin: Kin) -> None:
    kin.members(OURS, [*BOTH, process(ONE, KERNEL, start=200)])
    below = [*BOTH, process(ONE, NEIGHBOUR, start=300), process(TWO, ROOT, session=ONE, start=301)]
    assert pids(kin.members(OURS, below)) == [KERNEL]
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR, ONE, TWO]


def test_a_session_of_a_pid_that_two_kernels_have_had_is_of_the_later_one(kin: Kin) -> None:
    kin.claim(KERNEL, 400, 104, [])
    below = [process(ONE, ROOT, session=KERNEL, start=500)]
    assert pids(kin.members(104, below)) == [ONE]
    assert kin.members(OURS, below) == []


def test_a_session_of_a_pid_that_a_dead_kernel_had_says_nothing_of_that_kernel(kin: Kin) -> None:
    kin.died(KERNEL, 100)
    again, child = process(KERNEL, ROOT, start=2000), process(ONE, ROOT, session=KERNEL, start=2001)
    below = [BOTH[1], again, child]
    assert pids(kin.members(OURS, below)) == []
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR, KERNEL, ONE]


def test_what_has_shed_everything_is_of_the_one_kernel_that_lived(kin: Kin) -> None:
    early, late = process(ONE, ROOT, start=120), process(TWO, ROOT, start=200)
    below = [*BOTH, early, late, process(THREE, TWO)]
    # Before the neighbour began there was only one; after that it can't be told.
    assert pids(kin.members(OURS, below)) == [KERNEL, ONE]
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR]
    assert pids(kin.doubtful(OURS, below)) == pids(kin.doubtful(THEIRS, below)) == [TWO, THREE]
    assert kin.doubtful(SERVERS, below) == []
    # Nor can it when one of the two has died since,
    kin.died(KERNEL, 100)
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR]
    # but of what has come after that it can.
    after = process(TWO, ROOT, start=2000)
    assert pids(kin.members(THEIRS, [BOTH[1], after])) == [NEIGHBOUR, TWO]


def test_what_comes_in_the_tick_of_a_death_is_not_of_the_dead_one_if_it_was_not_there_yet(kin: Kin) -> None:
    kin.died(NEIGHBOUR, 150)
    there, later = process(ONE, ROOT, start=1000), process(TWO, ROOT, start=1000)
    below = [BOTH[0], there]
    assert pids(kin.members(OURS, below)) == [KERNEL]
    assert pids(kin.members(OURS, [*below, later])) == [KERNEL, TWO]
    assert pids(kin.doubtful(THEIRS, [*below, later])) == [ONE]


def test_a_guess_is_given_up_when_more_is_known(kin: Kin) -> None:
    stray, child = process(ONE, ROOT, start=120), process(TWO, ONE)
    assert pids(kin.members(OURS, [*BOTH, stray, child])) == [KERNEL, ONE, TWO]
    kin.claim(ONE, 120, 104, [])
    assert pids(kin.members(OURS, [*BOTH, stray, child])) == [KERNEL]
    assert pids(kin.members(104, [*BOTH, stray, child])) == [ONE, TWO]


def test_nobody_outside_is_asked_about(kin: Kin) -> None:
    assert kin.members(OURS, []) == []


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A real process, which wears the neighbour's token."""
    variables = {**os.environ, TOKEN: str(THEIRS)}
    command = ["sh", "-c", "echo; read line"]
    with subprocess.Popen(command, env=variables, stdin=-1, stdout=-1, start_new_session=True) as process:
        assert process.stdout is not None
        # While it is being executed, nobody can read its environment.
        process.stdout.readline()
        yield process
        process.kill()


def test_a_token_in_the_environment_is_a_sign(kin: Kin, sleeper: subprocess.Popen[bytes]) -> None:
    # Before there is another program there, the environment is ours.
    below = [*BOTH, process(sleeper.pid, ROOT, start=120)]
    assert pids(kin.members(THEIRS, below)) == [NEIGHBOUR, sleeper.pid]
    assert pids(kin.members(OURS, below)) == [KERNEL]


def test_a_token_of_nobody_whom_we_know_is_none(sleeper: subprocess.Popen[bytes]) -> None:
    kin = Kin(ROOT)
    kin.claim(KERNEL, 100, OURS, [])
    below = [process(KERNEL, ROOT, start=100), process(sleeper.pid, ROOT, start=120)]
    assert pids(kin.members(OURS, below)) == [KERNEL, sleeper.pid]
    assert pids(kin.members(THEIRS, below)) == [sleeper.pid]
