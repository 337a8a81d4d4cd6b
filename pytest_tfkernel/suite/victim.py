"""A test file for the trial `runner-death`: run by a pytest that is killed while this runs."""

from __future__ import annotations

import os
from collections.abc import Callable

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec

# Leaves a process that has a session of its own, no environment, another parent, and no wish to end.
_DAEMON = """\
import os, signal, sys
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.write(writer, b"1")
        os.execve(sys.executable, [sys.executable, "-S", "-c", "import signal; signal.pause()"], {})
    os._exit(0)
os.read(reader, 1)
os.wait()
"""


def test_waits_to_be_killed(tfkernel_factory: Callable[[KernelSpec], Kernel]) -> None:
    """Never ends by itself."""
    kernel = tfkernel_factory(KernelSpec(provisioner="subprocess"))
    assert kernel.execute(_DAEMON).ok
    os.write(int(os.environ["PYTEST_TFKERNEL_READY"]), b"ready\n")
    kernel.execute("import signal\nsignal.pause()", timeout=600)
