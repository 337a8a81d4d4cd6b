"""One process that hosts the kernel manager of somebody else, and what it says."""

from __future__ import annotations

import contextlib
import os
import posix
import signal
import sys
from pathlib import Path

from pytest_tfkernel._child import removal
from pytest_tfkernel.kernels.generations.base import Supplies
from pytest_tfkernel.model.errors import KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.processes.companions import Command, Companion
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.search_path import search_path
from pytest_tfkernel.processes.supervisor import Supervisor
from pytest_tfkernel.processes.waits import monotonic
from pytest_tfkernel.processes.wire import ChannelClosedError, ChannelLateError, ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Not imported: it runs in the host, and knows us.
_HOSTS = Path(__file__).parents[2] / "hosts"
_END_SECONDS = 1.0


class Host:
    """One host process and what it says."""

    def __init__(self, supplies: Supplies, folder: Path) -> None:
        self._supervisor: Supervisor = supplies.supervisor
        self._folder = folder
        command = Command(
            [sys.executable, "-I", "-u", str(_HOSTS), "jupyter"],
            {**os.environ, **search_path(), "TMPDIR": str(folder)},
            Order(supplies.new_leases(1)),
            reports=True,
        )
        # A kernel has one host after the other, and those that live are in use.
        self._companion = Companion.start(self._supervisor, command).keep()
        self._channel = self._companion.channel
        self.process = self._companion.process

    def send(self, message: Message) -> None:
        """Ask for something. Raises KernelStartError when it has ended."""
        # A stopped one does nothing.
        self._supervisor.signal(self.process, signal.SIGCONT)
        try:
            self._channel.send(message)
        except (ChannelClosedError, ChannelTornError) as error:
            raise KernelStartError(self._epitaph(str(error))) from None

    def has_news(self) -> bool:
        """Whether it has said something that nobody has received."""
        return self._wait(0)

    def receive(self, deadline: float) -> tuple[Message, list[int]]:
        """What it says next. Raises KernelStartError when it says nothing in time or has ended."""
        remaining = deadline - monotonic()
        try:
            if remaining > 0 and self._wait(remaining):
                return self._channel.receive_with_descriptors(remaining)
        except ChannelLateError:
            pass
        except (ChannelClosedError, ChannelTornError) as error:
            raise KernelStartError(self._epitaph(str(error))) from None
        raise KernelStartError("the kernel's host did not start a kernel in time: see start_timeout")

    def close(self) -> None:
        """End it, and remove its files."""
        with contextlib.suppress(SupervisorGoneError):
            self._supervisor.end(self._companion.lease, _END_SECONDS)
            self._end_unseen()
        self._companion.close()
        removal.remove(str(self._folder))
        with contextlib.suppress(SupervisorGoneError):
            self._supervisor.release(self._folder)

    def is_gone(self) -> bool:
        """Whether it has ended, or is just ending."""
        # The kernel dies with the first thread of this process, whose sockets are closed with the last.
        return self._channel.is_closed() or self._companion.has_ended()

    def elegy(self, _: ProcessId) -> str:
        """That it had ended, for the post-mortem of its kernel; "" while it lives."""
        if not self._companion.has_ended():
            return ""
        return f"the process of its manager, {self.process}, had ended, and the kernel with it{self._fate('')}"

    def _end_unseen(self) -> None:
        """End what it has started while nobody was looking."""
        with contextlib.suppress(ChannelClosedError, ChannelTornError, ChannelLateError):
            while self.has_news():
                message, descriptors = self._channel.receive_with_descriptors()
                for descriptor in descriptors:
                    posix.close(descriptor)
                if message["kind"] == "started":
                    self._supervisor.end(message["lease"], _END_SECONDS)

    def _wait(self, seconds: float) -> bool:
        return self._channel.has_news(seconds)

    def _epitaph(self, error: str) -> str:
        return f"the kernel's host is gone{self._fate(error)}"

    def _fate(self, otherwise: str) -> str:
        """How it ended, in words to be added."""
        fate = ""
        with contextlib.suppress(SupervisorGoneError):
            fate = self._companion.fate("")
        why = f"it {fate}" if fate else otherwise
        return f"{': ' if why else ''}{why}{self._companion.last_line()}"
