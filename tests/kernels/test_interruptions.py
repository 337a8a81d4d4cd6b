"""Whoever is interrupted while a message comes or goes leaves a channel that the next one can use."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from interruptions import interrupted_everywhere
from pytest_tfkernel._child import frames
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import BusyError, KernelDied, KernelIsDead
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.processes.wire import Channel

# For what takes long: a prime number, so that it strikes now here, now there.
_STEP = 31

# Whoever is interrupted while a socket is made loses it: it is closed when it is collected.
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

StartKernel = Callable[..., Kernel]
_LEASE = 1234567


def test_a_message_that_comes_is_taken_or_not(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    lines = 0
    theirs.send({"kind": "x"})
    for lines in interrupted_everywhere(ours.receive):
        theirs.send({"kind": "y", "number": lines})
        found = ours.receive()
        if found == {"kind": "x"}:
            found = ours.receive()
        assert found == {"kind": "y", "number": lines}
        theirs.send({"kind": "x"})
    assert lines > 5


def test_a_message_that_goes_goes_wholly_or_not_at_all(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    reader, writer = os.pipe()
    lines = 0
    for lines in interrupted_everywhere(lambda: ours.send({"kind": "x"}, (writer,))):
        _elsewhere(lambda: ours.send({"kind": "y"}))
        message, descriptors = theirs.receive_with_descriptors()
        if message["kind"] == "x":
            assert len(descriptors) == 1
            os.write(descriptors[0], b"%d" % (lines % 10))
            assert os.read(reader, 1) == b"%d" % (lines % 10)
            os.close(descriptors[0])
            message, descriptors = theirs.receive_with_descriptors()
        assert (message, descriptors) == ({"kind": "y"}, [])
    assert lines > 5
    os.close(reader)
    os.close(writer)


def _elsewhere(act: Callable[[], object]) -> None:
    """In a thread, which waits for any lock that the interrupted one would still have."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_one_that_is_half_gone_is_finished(ends: tuple[Channel, frames.Port]) -> None:
    ours, theirs = ends
    heard: list[Any] = []

    class HandlerError(Exception):
        pass

    def interrupt(*_: object) -> None:
        listening.start()
        raise HandlerError

    def hear() -> None:
        heard.extend([theirs.receive(), theirs.receive()])

    def interrupt_when_full() -> None:
        while select.select([], [ours.fileno()], [], 0)[1]:
            continue
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    listening, watching = threading.Thread(target=hear), threading.Thread(target=interrupt_when_full)
    before = signal.signal(signal.SIGUSR1, interrupt)
    watching.start()
    try:
        with pytest.raises(HandlerError):
            ours.send({"kind": "x", "text": "x" * (1 << 22)})
    finally:
        signal.signal(signal.SIGUSR1, before)
    ours.send({"kind": "y"})
    watching.join()
    listening.join()
    assert [message["kind"] for message in heard] == ["x", "y"]


class TestSupervisor:
    @pytest.fixture
    def supervisor(self, nothing_is_left: None) -> Iterator[Supervisor]:
        supervisor = Supervisor()
        yield supervisor
        supervisor.close()

    def test_it_serves_whoever_comes_after_one_that_was_interrupted(self, supervisor: Supervisor) -> None:
        order = Order(_LEASE, folder=None)

        def start() -> None:
            supervisor.start(["/bin/sh", "-c", "exit 3"], {}, order, {1: writer})

        reader, writer = os.pipe()
        for _ in interrupted_everywhere(start, 3):
            assert supervisor.members(_LEASE + 1) == []
        os.close(reader)
        os.close(writer)

    def test_a_death_that_was_told_to_one_that_was_interrupted_is_known(self, supervisor: Supervisor) -> None:
        order = Order(_LEASE, folder=None)
        started = [supervisor.start(["/bin/sh", "-c", "exit 3"], {}, order, {})]
        for _ in interrupted_everywhere(lambda: supervisor.death_of(started[-1], 10)):
            death = supervisor.death_of(started[-1], 10)
            assert death is not None
            assert death.status == ExitStatus(code=3)
            started.append(supervisor.start(["/bin/sh", "-c", "exit 3"], {}, order, {}))

    def test_a_handler_that_asks_while_it_interrupts_is_told_so(
        self, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peek = supervisor._channel.peek

        def interrupted(seconds: float) -> dict[str, Any]:
            with pytest.raises(BusyError, match="a signal handler can't call this"):
                supervisor.members(_LEASE)
            return peek(seconds)

        monkeypatch.setattr(supervisor._channel, "peek", interrupted)
        assert supervisor.members(_LEASE) == []


class TestKernels:
    @pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
    def test_a_cell_that_nobody_waits_for_any_more_answers_nobody_else(
        self, start: StartKernel, provisioner: str
    ) -> None:
        kernel = start(provisioner=provisioner)
        for number in interrupted_everywhere(lambda: kernel.execute("'earlier'"), 3):
            assert kernel.execute(str(number)).value == number

    def test_a_kernel_whose_start_was_interrupted_is_no_other_one_s(self, nothing_is_left: None) -> None:
        with Launcher() as launcher:
            spec = KernelSpec(provisioner=ForkServer(preload=()))
            for _ in interrupted_everywhere(lambda: launcher.start(spec).shutdown(now=True), _STEP):
                kernel = launcher.start(spec)
                assert kernel.execute("import os; os.getpid()").value == kernel.pid
                kernel.shutdown(now=True)

    def test_a_restart_that_was_interrupted_can_be_done_again(self, start: StartKernel) -> None:
        kernel = start()
        for _ in interrupted_everywhere(kernel.restart, _STEP):
            try:
                kernel.execute("1")
            except (KernelDied, KernelIsDead):
                kernel.restart()
            assert kernel.execute("import os; os.getpid()").value == kernel.pid
