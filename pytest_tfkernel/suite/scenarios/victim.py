"""A test file for the trial `runner-death`: run by a pytest that is killed while this runs."""

from __future__ import annotations

import os
from collections.abc import Callable

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec

# Leaves a process that has a session of its own, no environment, another parent, and no wish to end; its pid, once it
# is the program that it will be.
_DAEMON = """\
import os, signal, sys
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.write(writer, b"%d" % os.getpid())
        os.set_inheritable(writer, True)
        cell = f"import os, signal; os.close({writer}); signal.pause()"
        os.execve(sys.executable, [sys.executable, "-S", "-c", cell], {})
    os._exit(0)
os.close(writer)
daemon = int(os.read(reader, 20))
os.read(reader, 1)
os.wait()
daemon
"""


def test_waits_to_be_killed(tfkernel_factory: Callable[[KernelSpec], Kernel]) -> None:
    """Never ends by itself."""
    kernel = tfkernel_factory(KernelSpec(provisioner="subprocess"))
    daemon = kernel.execute(_DAEMON).value
    os.write(int(os.environ["PYTEST_TFKERNEL_READY"]), b"%d\n" % daemon)
    kernel.execute("import signal\nsignal.pause()", timeout=600)
