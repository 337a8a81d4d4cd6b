"""What a kernel held, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from accounts import CHILD, Account
from pytest_tfkernel._child import proc
from pytest_tfkernel.audit.ledger import AuditedKernel, Eyes, Ledger, OwnProcesses, baseline
from pytest_tfkernel.audit.probes import Look, Probe
from pytest_tfkernel.audit.probes.locks import Locks
from pytest_tfkernel.audit.probes.processes import Processes
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Audit, Blind, Key, Kind, Leak, Resource
from pytest_tfkernel.processes.cgroups import PIDS
from strays import STRAY

OpenAccount = Callable[..., Account]

# No pids of real processes.
ROOT, KERNEL, CHILD_PID, OTHER = 5_000_000, 5_000_001, 5_000_002, 5_000_003
ONE = Resource(Kind.FILE, "one", "1")
TWO = Resource(Kind.FILE, "two", "2")


@dataclass
class Scripted:
    """A probe that finds, look by look, what a test says; the last look stays."""

    looks: list[list[Resource]]
    there: set[str] = field(default_factory=set)
    blind: list[list[str]] = field(default_factory=lambda: [[]])
    pids: list[frozenset[int]] = field(default_factory=list)

    def existing(self, _: Table) -> Iterator[Key]:
        for resource in self.looks[0]:
            yield resource.key

    def held(self, look: Look) -> Iterator[Resource]:
        self.pids.append(look.pids)
        blind = self.blind.pop(0) if len(self.blind) > 1 else self.blind[0]
        for place in blind:
            look.table.note(Kind.FILE, place, PermissionError(13, "Permission denied"))
        yield from self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def persists(self, _: Table, resource: Resource) -> bool:
        return resource.name in self.there


@dataclass
class Clock:
    """Time that passes while somebody sleeps; `jumps` are added at each look at it."""

    now: float = 1000.0
    jumps: list[float] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        self.now += self.jumps.pop(0) if self.jumps else 0.0
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Stands for /proc: process 1, and the supervisor."""
    write(tmp_path, 1, 0)
    write(tmp_path, ROOT, 1)
    return tmp_path


def write(root: Path, pid: int, parent: int, *, state: str = "S", session: int | None = None, start: int = 100) -> None:
    fields = [state, parent, pid, session or pid, *[0] * 13, 1, 0, start, 4096, *[0] * 30]
    (root / str(pid)).mkdir(exist_ok=True)
    (root / str(pid) / "stat").write_text(f"{pid} (name) {' '.join(map(str, fields))}\n")


def remove(root: Path, pid: int) -> None:
    (root / str(pid) / "stat").unlink()
    (root / str(pid)).rmdir()


def ledger(root: Path, *probes: Probe, clock: Clock | None = None, before: tuple[Key, ...] = ()) -> Ledger:
    clock = clock or Clock()
    audited = AuditedKernel(ProcessId(KERNEL, 100), 1, lambda: OwnProcesses(of_the_first_session(root)))
    return Ledger(audited, before, Eyes(probes, lambda: Table(root), clock, clock.sleep))


def of_the_first_session(root: Path) -> list[ProcessId]:
    """The kernel's: what was started at the same time as it."""
    return [entry.process for entry in Table(root).below(ROOT) if entry.process.start_time == 100]


def names(audit: Audit) -> list[str]:
    return [leak.resource.name for leak in audit.leaks]


def test_what_existed_before_is_not_blamed(root: Path) -> None:
    probe = Scripted([[ONE]])
    before = baseline(Eyes([probe], lambda: Table(root)))
    assert before == {ONE.key}
    account = ledger(root, Scripted([[ONE, TWO]], there={"one", "two"}), before=tuple(before))
    account.note("a cell")
    assert names(account.audit(0.0)) == ["two"]


def test_what_is_lent_is_no_leak(root: Path) -> None:
    clock = Clock()
    audited = AuditedKernel(ProcessId(KERNEL, 100), 1, lambda: OwnProcesses(()), lent=lambda resource: resource == ONE)
    account = Ledger(
        audited, (), Eyes([Scripted([[ONE, TWO]], there={"one"})], lambda: Table(root), clock, clock.sleep)
    )
    account.note("a cell")
    assert names(account.audit(0.0)) == ["two"]


def test_a_leak_is_since_the_first_cell_that_showed_it(root: Path) -> None:
    account = ledger(root, Scripted([[], [ONE], [ONE, TWO], [ONE, TWO]]))
    for cell in ("first", "second", "third"):
        account.note(cell)
    assert account.audit(0.0).leaks == (Leak(ONE, 1, "second"), Leak(TWO, 1, "third"))


def test_a_leak_that_no_cell_showed_has_no_cell(root: Path) -> None:
    account = ledger(root, Scripted([[], [ONE]]))
    account.note("first")
    assert account.audit(0.0).leaks == (Leak(ONE, 1, ""),)


def test_what_persists_without_a_holder_is_a_leak(root: Path) -> None:
    account = ledger(root, Scripted([[ONE, TWO], []], there={"two"}))
    account.note("first")
    assert account.audit(0.0).leaks == (Leak(TWO, 1, "first"),)


def test_a_thing_is_reported_once(root: Path) -> None:
    account = ledger(root, Scripted([[ONE, ONE]], there={"one"}))
    account.note("first")
    assert names(account.audit(0.0)) == ["one"]


def test_what_goes_away_in_time_is_no_leak(root: Path) -> None:
    clock = Clock()
    account = ledger(root, Scripted([[ONE], [ONE], [ONE], []]), clock=clock)
    audit = account.audit(1.0)
    assert audit.leaks == ()
    assert len(clock.slept) == 3
    assert audit.seconds == pytest.approx(sum(clock.slept))


def test_what_stays_is_looked_at_until_its_time_is_over(root: Path) -> None:
    clock = Clock()
    audit = ledger(root, Scripted([[ONE]]), clock=clock).audit(1.0)
    assert names(audit) == ["one"]
    assert audit.seconds == pytest.approx(1.0)
    assert sum(clock.slept) == pytest.approx(1.0)
    assert len(clock.slept) > 10


def test_nothing_is_waited_for_when_nothing_is_left(root: Path) -> None:
    clock = Clock()
    assert ledger(root, Scripted([[]]), clock=clock).audit(1.0) == Audit()
    assert clock.slept == []


def test_a_clock_that_jumps_ahead_leaves_time_to_settle(root: Path) -> None:
    clock = Clock(jumps=[0.0, 3600.0])
    assert ledger(root, Scripted([[ONE], [ONE], []]), clock=clock).audit(1.0).leaks == ()


@pytest.mark.parametrize("jumps", [[0.0, -3600.0], [0.0, 0.0, *[-1.0] * 1000]])
def test_a_clock_that_jumps_back_ends_all_the_same(root: Path, jumps: list[float]) -> None:
    clock = Clock(jumps=jumps)
    audit = ledger(root, Scripted([[ONE]]), clock=clock).audit(1.0)
    assert names(audit) == ["one"]
    assert audit.seconds == pytest.approx(1.0)
    assert sum(clock.slept) == pytest.approx(1.0)


def test_what_could_not_be_read_while_it_lived_is_told(root: Path) -> None:
    account = ledger(root, Scripted([[]], blind=[["while alive"], ["after"], []]))
    account.note("first")
    account.note("second")
    assert account.audit(0.0).blind == (
        Blind(Kind.FILE, "while alive", "Permission denied"),
        Blind(Kind.FILE, "after", "Permission denied"),
    )


def test_a_place_is_told_once(root: Path) -> None:
    account = ledger(root, Scripted([[]], blind=[["place", "place"]]))
    account.note("first")
    assert len(account.audit(0.0).blind) == 1


def test_what_could_not_be_read_while_things_settled_does_not_matter(root: Path) -> None:
    account = ledger(root, Scripted([[ONE], []], blind=[["passing"], []]))
    assert account.audit(1.0).blind == ()


def test_members_that_come_after_the_death_are_told_too(root: Path) -> None:
    write(root, KERNEL, ROOT)
    write(root, CHILD_PID, KERNEL, session=KERNEL)
    account = ledger(root, Processes())
    account.note("first")
    remove(root, KERNEL)
    write(root, CHILD_PID, ROOT, session=KERNEL)
    write(root, OTHER, ROOT, session=KERNEL)
    leaks = account.audit(0.0).leaks
    assert {(leak.resource.name, leak.since) for leak in leaks} == {(str(CHILD_PID), "first"), (str(OTHER), "")}


def test_a_process_that_was_noted_is_known_for_ever(root: Path) -> None:
    write(root, KERNEL, ROOT)
    write(root, CHILD_PID, KERNEL, session=ROOT)
    account = ledger(root, Processes())
    account.note("first")
    remove(root, KERNEL)
    write(root, CHILD_PID, ROOT, session=ROOT)
    assert names(account.audit(0.0)) == [str(CHILD_PID)]


def test_a_process_with_the_pid_of_a_dead_one_is_another(root: Path) -> None:
    probe = Scripted([[]])
    write(root, KERNEL, ROOT)
    write(root, CHILD_PID, KERNEL)
    account = ledger(root, Processes(), probe)
    account.note("first")
    # A neighbour, leader of its session, and its child.
    write(root, CHILD_PID, ROOT, start=200)
    write(root, OTHER, CHILD_PID, session=CHILD_PID, start=201)
    remove(root, KERNEL)
    assert account.audit(0.0).leaks == ()
    assert probe.pids == [{KERNEL, CHILD_PID}, {KERNEL}]


def test_a_process_that_has_shed_all_other_signs_is_known_by_its_cgroup(
    open_account: OpenAccount, needs_cgroup: Callable[[str], None], launcher: Launcher
) -> None:
    needs_cgroup(PIDS)
    account = open_account(spec={"process_limit": 50})
    pid = account.do(STRAY)
    try:
        # Nobody has looked while its parents lived.
        assert (proc.lease_of(pid), os.getsid(pid)) == (7, pid)
        assert proc.read_stat(pid).parent == launcher.supervisor.pid  # type: ignore[union-attr]
        assert [leak.resource.name for leak in account.leaks(Kind.PROCESS)] == [str(pid)]
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_process_in_the_cgroup_of_another_kernel_is_not_blamed_on_this_one(
    open_account: OpenAccount, needs_cgroup: Callable[[str], None]
) -> None:
    needs_cgroup(PIDS)
    account, other = (open_account(spec={"process_limit": 50}) for _ in range(2))
    pid = other.do(STRAY)
    try:
        assert account.die().leaks == ()
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_cell_is_noted_with_the_resources_of_all_kinds(account: Account, tmp_path: Path) -> None:
    account.run("1", "before")
    path = str(tmp_path / "lock")
    account.run(
        f"{CHILD}\nimport fcntl\nfile = open({path!r}, 'w')\nfcntl.flock(file, fcntl.LOCK_EX)\nchild(int)", "after"
    )
    audit = account.die()
    assert {(leak.resource.kind, leak.since) for leak in audit.leaks} == {(Kind.PROCESS, "after"), (Kind.LOCK, "after")}


def test_a_child_that_ends_in_time_is_no_leak(account: Account) -> None:
    account.run("import subprocess; subprocess.Popen(['sleep', '0.2'])")
    audit = account.die(10.0)
    assert audit.leaks == ()
    assert 0 < audit.seconds < 10


def test_a_clean_kernel_leaves_nothing(account: Account) -> None:
    account.run("1")
    assert account.die().leaks == ()


def test_a_process_of_another_user_is_found_with_what_is_hidden(
    open_account: OpenAccount, launcher: Launcher, needs_root: None
) -> None:
    # Found by /proc/PID/stat, which anybody may read.
    account = open_account(Processes(), Locks())
    pid = account.run(f"{CHILD}\nchild(lambda: os.setresuid(65534, 65534, 65534))")
    (leak,) = account.die().leaks
    assert leak.resource.name == str(pid)


@pytest.fixture
def needs_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")


def test_the_real_probes_see_nothing_of_other_processes(account: Account) -> None:
    with subprocess.Popen(["sleep", "61"], start_new_session=True) as process:
        account.run("1")
        assert account.die().leaks == ()
        process.kill()


def test_a_process_that_may_be_of_another_kernel_makes_it_uncertain_while_it_is_there(root: Path) -> None:
    write(root, OTHER, ROOT)
    other = ProcessId(OTHER, 100)
    clock = Clock()
    audited = AuditedKernel(ProcessId(KERNEL, 100), 1, lambda: OwnProcesses((), (other,)))
    account = Ledger(audited, (), Eyes((Processes(),), lambda: Table(root), clock, clock.sleep))
    account.note("first")
    audit = account.audit(0.0)
    assert audit.leaks == ()
    assert [(blind.kind, blind.place) for blind in audit.blind] == [(Kind.PROCESS, str(OTHER))]
    remove(root, OTHER)
    assert account.audit(0.0).blind == ()
