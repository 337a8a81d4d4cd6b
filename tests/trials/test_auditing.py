"""The audit of a trial's kernel, and of pytest's own process beside it."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.audit.ledger import Eyes
from pytest_tfkernel.audit.own import own_resources
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.model.resources import Audit, Kind
from pytest_tfkernel.processes.cgroups import PIDS
from pytest_tfkernel.trials.auditing import KernelWatch
from pytest_tfkernel.trials.timeline import Timeline
from strays import STRAY

# Other threads of pytest's process have something open for a moment; what leaks stays.
SETTLE = 60.0


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


@pytest.fixture
def watch(launcher: Launcher, timeline: Timeline) -> KernelWatch:
    return KernelWatch(launcher, timeline=timeline)


@pytest.fixture
def kernel(watch: KernelWatch) -> Iterator[Kernel]:
    kernel = watch.start(KernelSpec(provisioner=ForkServer(preload=())))
    yield kernel
    kernel.shutdown(now=True)


def die(watch: KernelWatch, kernel: Kernel, seconds: float = 0.0) -> Audit:
    assert kernel.inject("sigkill").post_mortem is not None
    return watch.audit(kernel.life, seconds)


def test_a_kernel_that_leaves_nothing_leaves_nothing_here_either(watch: KernelWatch, kernel: Kernel) -> None:
    kernel.execute("1")
    assert die(watch, kernel, SETTLE).leaks == ()


@pytest.mark.parametrize("opened", ["before", "after"])
def test_a_descriptor_that_pytest_keeps_of_a_dead_kernel_is_a_leak(
    watch: KernelWatch, kernel: Kernel, opened: str, tmp_path: Path
) -> None:
    kernel.execute("1")
    pidfd = os.pidfd_open(os.getpid()) if opened == "before" else -1
    audit = die(watch, kernel, SETTLE if opened == "after" else 0.0)
    if opened == "after":
        assert audit.leaks == ()
        pidfd = os.pidfd_open(os.getpid())
        audit = watch.audit(kernel.life, 0.0)
    os.close(pidfd)
    (leak,) = audit.leaks
    assert (leak.resource.kind, leak.resource.name) == (Kind.HANDLE, f"descriptor {pidfd} of pytest")
    assert leak.lease == kernel.life.lease


def test_a_descriptor_that_another_thread_of_pytest_has_for_a_moment_is_none(launcher: Launcher) -> None:
    held: list[int] = []

    def sleep(_: float) -> None:
        while held:
            os.close(held.pop())

    watch = KernelWatch(launcher, Eyes(sleep=sleep))
    kernel = watch.start(KernelSpec(provisioner=ForkServer(preload=())))
    try:
        kernel.execute("1")
        held.append(os.pidfd_open(os.getpid()))
        assert die(watch, kernel, SETTLE).leaks == ()
    finally:
        sleep(0)
        kernel.shutdown(now=True)


def test_a_thread_that_pytest_keeps_of_a_dead_kernel_is_a_leak(watch: KernelWatch, kernel: Kernel) -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="keeper")
    thread.start()
    try:
        (leak,) = die(watch, kernel).leaks
    finally:
        done.set()
        thread.join()
    assert (leak.resource.kind, leak.resource.name) == (Kind.THREAD, "keeper of pytest")


def test_what_pytest_has_for_a_living_kernel_is_no_leak(watch: KernelWatch, kernel: Kernel) -> None:
    assert die(watch, kernel, SETTLE).leaks == ()
    kernel.restart()
    kernel.execute("1")
    assert die(watch, kernel, SETTLE).leaks == ()


def test_each_generation_has_an_account_of_its_own(watch: KernelWatch, kernel: Kernel, escape: str) -> None:
    pid = kernel.execute(escape).value
    first = die(watch, kernel)
    assert [leak.resource.name for leak in first.leaks] == [str(pid)]
    assert first.leaks[0].since == escape
    kernel.restart()
    assert die(watch, kernel, SETTLE).leaks == ()


def test_cells_are_moments(watch: KernelWatch, kernel: Kernel, timeline: Timeline) -> None:
    kernel.execute("1")
    (moment,) = timeline.moments
    assert (moment.name, moment.memory is not None) == ("cell", True)


@pytest.fixture
def shared() -> Iterator[Path]:
    """An object that is there before anybody looks."""
    path = Path(f"/dev/shm/tfkernel-test-{os.getpid()}-{secrets.token_hex(4)}")
    path.write_bytes(b"x")
    yield path
    path.unlink()


def test_what_was_there_before_the_kernel_is_not_its_own(shared: Path, launcher: Launcher) -> None:
    watch = KernelWatch(launcher)
    kernel = watch.start(KernelSpec(provisioner=ForkServer(preload=())))
    try:
        kernel.execute(f"held = open({str(shared)!r})")
        assert die(watch, kernel, SETTLE).leaks == ()
    finally:
        kernel.shutdown(now=True)


def test_what_appears_with_the_kernel_is_its_own(launcher: Launcher) -> None:
    watch = KernelWatch(launcher)
    kernel = watch.start(KernelSpec(provisioner=ForkServer(preload=())))
    path = Path(f"/dev/shm/tfkernel-test-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        kernel.execute(f"held = open({str(path)!r}, 'w')")
        assert [leak.resource.name for leak in die(watch, kernel).leaks] == [str(path)]
    finally:
        path.unlink()
        kernel.shutdown(now=True)


@pytest.mark.parametrize("place", ["its own folder", "the folder of the session"])
def test_a_socket_that_no_manager_made_is_a_leak(watch: KernelWatch, kernel: Kernel, place: str) -> None:
    folder = kernel.life.temporary if place == "its own folder" else kernel.life.temporary.parent
    path = folder / "s"
    kernel.execute(f"import socket\nleft = socket.socket(socket.AF_UNIX)\nleft.bind({str(path)!r})\nleft.listen()")
    try:
        kinds = {leak.resource.kind for leak in die(watch, kernel).leaks}
    finally:
        path.unlink()
    assert Kind.SOCKET in kinds


def test_a_file_in_its_temporary_folder_is_a_leak(watch: KernelWatch, kernel: Kernel) -> None:
    kernel.execute("import tempfile\ntempfile.mkstemp()")
    (leak,) = die(watch, kernel).leaks
    assert (leak.resource.kind, Path(leak.resource.name).parent) == (Kind.FILE, kernel.life.temporary)


def test_what_is_known_by_the_cgroup_only_is_found(launcher: Launcher, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(PIDS)
    watch = KernelWatch(launcher)
    kernel = watch.start(KernelSpec(provisioner=ForkServer(preload=()), process_limit=50))
    try:
        pid = kernel.execute(STRAY).value
        kernel.witness = None
        found = die(watch, kernel)
        os.kill(pid, signal.SIGKILL)
        assert str(pid) in {leak.resource.name for leak in found.leaks}
    finally:
        kernel.shutdown(now=True)


class TestOwnResources:
    def test_descriptors_are_told_by_what_they_lead_to(self, tmp_path: Path) -> None:
        before = own_resources()
        first, second = tmp_path / "first", tmp_path / "second"
        number = os.open(first, os.O_CREAT | os.O_RDONLY)
        one = own_resources() - before
        os.close(number)
        assert own_resources() - before == set()
        # The same number.
        other = os.open(second, os.O_CREAT | os.O_RDONLY)
        two = own_resources() - before
        os.close(other)
        assert [(one.name, one.detail) for one in one] == [(f"descriptor {number} of pytest", str(first))]
        assert [(one.name, one.detail) for one in two] == [(f"descriptor {other} of pytest", str(second))]
        assert one != two
