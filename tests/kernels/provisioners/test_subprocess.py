"""Kernels with an interpreter of their own, of any version."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import CallError, KernelDied, KernelHung, KernelStartError
from pytest_tfkernel.model.provisioners import ForkServer

StartKernel = Callable[..., Kernel]
FindPython = Callable[[str], str]


@pytest.fixture(scope="module")
def launcher(nothing_is_left: None) -> Iterator[Launcher]:
    """One of its own: each version has a fork server, and the shared one keeps but a few."""
    with Launcher() as launcher:
        yield launcher


def test_a_kernel_is_cold(start: StartKernel) -> None:
    kernel = start(provisioner="subprocess")
    assert (
        kernel.execute("import sys; [name for name in ('tensorflow', 'numpy', 'pytest') if name in sys.modules]").value
        == []
    )


def test_a_kernel_is_a_child_of_the_supervisor(start: StartKernel, launcher: Launcher) -> None:
    kernel = start(provisioner="subprocess")
    stat = proc.read_stat(kernel.pid)
    assert stat is not None
    assert stat.parent == launcher.supervisor.pid


def test_an_interpreter_that_breaks_at_its_start_says_so(start: StartKernel, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos.write(2, b'broken site')\nos._exit(9)")
    with pytest.raises(KernelStartError, match="did not start: kernel .* of exit code 9(.|\n)*broken site"):
        start(provisioner="subprocess", environment={"PYTHONPATH": str(tmp_path)})


@pytest.mark.parametrize("provisioner", ["subprocess", "forkserver"])
@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9", "3.10", "3.12", "3.13"])
def test_a_kernel_runs_in_any_python(
    start: StartKernel, find_python: FindPython, version: str, provisioner: str
) -> None:
    kernel = start(python=find_python(version), provisioner=provisioner)
    reply = kernel.execute("import sys\nprint('hello')\n['%d.%d' % sys.version_info[:2], float('nan'), b'x', {1: 2j}]")
    assert reply.stdout == "hello\n"
    assert [reply.value[0], *reply.value[2:]] == [version, b"x", {1: 2j}]
    error = kernel.execute("def f():\n    return [][1]\nf()").error
    assert error is not None
    assert (error.type, error.traceback.count("<cell 2>")) == ("IndexError", 2)
    if version != "{}.{}".format(*sys.version_info):
        with pytest.raises(
            CallError, match=rf"from Python 3\.\d+ to Python {version}, whose bytecode differs: .*execute\(\)"
        ):
            kernel.call(lambda: 1)
    with pytest.raises(KernelHung) as hung:
        kernel.execute("import time\ntime.sleep(60)", timeout=0.3)
    assert 'File "<cell 3>", line 2' in hung.value.post_mortem.stack
    kernel.restart()
    with pytest.raises(KernelDied) as died:
        kernel.execute("import ctypes\nctypes.string_at(0)")
    assert died.value.post_mortem.exit_status.signal == signal.SIGSEGV  # type: ignore[union-attr]
    assert 'File "<cell 1>", line 2' in died.value.post_mortem.stack
    kernel.restart()
    with pytest.raises(KernelDied, match="exit code 1"):
        kernel.execute("[][1]", interactive=False)


_OLD_SESSION = """
import tensorflow as tf
with tf.Session() as session:
    my_variable = tf.get_variable("my_variable", initializer=1.0)
    session.run(tf.global_variables_initializer())
    session.run(my_variable.assign(my_variable + 1))
    x = session.run(my_variable)
[tf.__version__, x, tf.constant(1.0).graph is tf.get_default_graph()]
"""


@pytest.mark.parametrize("provisioner", ["subprocess", "forkserver"])
def test_tensorflow_1_15_runs(start: StartKernel, provisioner: str) -> None:
    python = os.environ.get("TFKERNEL_TEST_PYTHON_TF115")
    if python is None:
        pytest.skip("TFKERNEL_TEST_PYTHON_TF115 names no interpreter with TensorFlow 1.15")
    chosen = ForkServer(preload=("tensorflow",)) if provisioner == "forkserver" else provisioner
    kernel = start(python=python, provisioner=chosen)
    assert kernel.execute(_OLD_SESSION).value == ["1.15.5", 2.0, True]
    if provisioner == "forkserver":
        kernel.inject("sigkill")
        kernel.restart()
        assert kernel.execute(_OLD_SESSION).value == ["1.15.5", 2.0, True]
        assert kernel.inject("tf-index-error").reply.error.type.endswith("InvalidArgumentError")  # type: ignore[union-attr]
