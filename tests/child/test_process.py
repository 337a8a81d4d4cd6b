"""What a new process does to itself, each in a fork that says how it went."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts import as_nobody
from pytest_tfkernel._child import proc, process

ORDER: dict[str, Any] = {"lease": 77, "cgroups": [], "limits": [], "folder": None}


def in_a_fork(look: Callable[[], Any]) -> Any:
    """What a function finds in a fork of this process."""
    # Of another user, who may raise no limit.
    return as_nobody(look)


def test_descriptors_take_their_places_also_each_others() -> None:
    def look() -> list[object]:
        (one, _), (two, _) = os.pipe(), os.pipe()
        links = [os.readlink(f"/proc/self/fd/{end}") for end in (one, two)]
        source = os.dup(one)
        process.place_descriptors({one: two, two: one, 900: source}, inheritable=False)
        found = [os.readlink(f"/proc/self/fd/{end}") for end in (two, one, 900)]
        left = [os.path.lexists(f"/proc/self/fd/{end}") for end in (source, 901, 902, 903)]
        return [found == [*links, links[0]], os.get_inheritable(900), any(left)]

    assert in_a_fork(look) == [True, False, False]


def test_a_place_that_is_free_is_nobodys_way() -> None:
    def look() -> bool:
        (one, _), (two, _) = os.pipe(), os.pipe()
        links = [os.readlink(f"/proc/self/fd/{end}") for end in (one, two)]
        first, second = os.dup(0), os.dup(0)
        for free in (first, second):
            os.close(free)
        process.place_descriptors({second: one, first: two}, inheritable=False)
        return [os.readlink(f"/proc/self/fd/{end}") for end in (second, first)] == links

    assert in_a_fork(look) is True


def test_the_standard_ones_are_inherited_by_what_it_starts() -> None:
    def look() -> list[bool]:
        process.place_descriptors({2: os.open(os.devnull, os.O_WRONLY), 900: os.dup(1)}, inheritable=False)
        return [os.get_inheritable(2), os.get_inheritable(900)]

    assert in_a_fork(look) == [True, False]


def test_what_else_was_inherited_is_closed() -> None:
    def look() -> list[bool]:
        for descriptor in (900, 901, 902):
            os.dup2(0, descriptor)
        # What it says goes out through a number below.
        process.close_above(900)
        return [os.path.lexists(f"/proc/self/fd/{descriptor}") for descriptor in (900, 901, 902)]

    assert in_a_fork(look) == [True, False, False]


def test_signals_are_as_in_a_process_that_nobody_has_touched() -> None:
    def look() -> list[object]:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        process.reset_signals()
        return [
            signal.getsignal(signal.SIGHUP) is signal.SIG_DFL,
            signal.getsignal(signal.SIGINT) is signal.SIG_DFL,
            len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
        ]

    assert in_a_fork(look) == [True, True, 0]


class TestAnOrder:
    def test_is_taken_on(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "cgroup.procs").write_text("")
        (tmp_path / "cgroup.procs").chmod(0o666)
        tmp_path.chmod(0o777)
        # Whoever is in it needs no way there.
        monkeypatch.chdir(tmp_path)

        def look() -> list[Any]:
            limits = [[resource.RLIMIT_NOFILE, 50]]
            process.restrict({**ORDER, "cgroups": ["cgroup.procs"], "limits": limits, "folder": "/"})
            return [str(Path.cwd()), resource.getrlimit(resource.RLIMIT_NOFILE)[0], proc.lease_of(os.getpid())]

        assert in_a_fork(look) == ["/", 50, 77]
        # "I, whoever that is".
        assert (tmp_path / "cgroup.procs").read_text() == "0"

    def test_without_a_folder_leaves_it_where_it_is(self) -> None:
        def look() -> str:
            process.restrict(ORDER)
            return str(Path.cwd())

        assert in_a_fork(look) == str(Path.cwd())

    def test_can_ask_for_no_more_than_the_hard_limit(self) -> None:
        def look() -> list[Any]:
            resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
            resource.setrlimit(proc.RLIMIT_LOCKS, (5, 5))
            process.restrict({**ORDER, "limits": [[resource.RLIMIT_NOFILE, 1000]]})
            # A smaller number would be that of somebody else.
            return [resource.getrlimit(resource.RLIMIT_NOFILE), resource.getrlimit(proc.RLIMIT_LOCKS)[0]]

        assert in_a_fork(look) == [[40, 40], 5]


@pytest.mark.parametrize("parent", ["its own", "another"])
def test_it_dies_with_its_parent_or_at_once_where_that_is_gone(parent: str) -> None:
    pid = os.fork()
    if pid == 0:
        process.die_with_parent(os.getppid() if parent == "its own" else 5_000_000)
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == (7 if parent == "its own" else 0)
