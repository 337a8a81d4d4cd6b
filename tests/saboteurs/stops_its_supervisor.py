"""A test file, not a cell: a pytest whose supervisor can't act when it is killed."""

import os
import signal

from pytest_tfkernel.model.kernels import KernelSpec


def test_waits_to_be_killed(tfkernel_factory):
    kernel = tfkernel_factory(KernelSpec(provisioner="subprocess"))
    os.kill(kernel.execute("import os\nos.getppid()").value, signal.SIGSTOP)
    os.write(int(os.environ["PYTEST_TFKERNEL_READY"]), b"ready\n")
    kernel.execute("import signal\nsignal.pause()", timeout=600)
