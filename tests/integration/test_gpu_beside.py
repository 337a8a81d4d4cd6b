"""A run on a machine with a GPU, plain and with workers: what the session opens to look at it is no kernel's leak."""

from __future__ import annotations

import pytest

from driver_stub import DriverStub
from inner import Inner, counts

DEATHS = "nothing-is-left and forkserver-graph_add and (sigkill-idle or sigsegv-idle or sigterm-idle)"
# With no TensorFlow in it: the kernels of trials are forked from another process.
MINE = """
from pytest_tfkernel import ForkServer

def test_before(tfkernel_factory): tfkernel_factory(provisioner=ForkServer(preload=())).execute("1")
def test_after(): pass
"""
# Each process that plays imports TensorFlow. What the gate is satisfied with, the trials are, too: they look at the same
# in its run. Workers, and the trials alone, are of the soak.
ALONE, TWO_LATER = pytest.param((), id="plain"), pytest.param(("-n", "2"), id="two", marks=pytest.mark.soak)


@pytest.mark.soak
@pytest.mark.usefixtures("tensorflow_python")
@pytest.mark.parametrize("workers", [ALONE, TWO_LATER])
def test_nothing_is_left_where_a_gpu_is(inner: Inner, stub: DriverStub, workers: tuple[str, ...]) -> None:
    if workers:
        pytest.importorskip("xdist")
    result = inner.run("--tfkernel", "-p", "stub_devices", "-k", DEATHS, *workers, **stub.environment)
    assert (result.ret, counts(result)) == (0, {"passed": 3})
    assert "NVIDIA H100" in result.stdout.str()


@pytest.mark.usefixtures("tensorflow_python")
@pytest.mark.parametrize("workers", [ALONE, TWO_LATER])
def test_the_gate_blames_no_test_for_it(inner: Inner, stub: DriverStub, workers: tuple[str, ...]) -> None:
    if workers:
        pytest.importorskip("xdist")
    inner.write("test_mine.py", MINE)
    arguments = (".", "--tfkernel-gate", "--tfkernel", "-p", "stub_devices", "-k", f"mine or ({DEATHS})")
    result = inner.run(*arguments, *workers, **stub.environment)
    assert (result.ret, counts(result)) == (0, {"passed": 5})
    assert "left behind" not in result.stdout.str()
    assert "NVIDIA H100" in result.stdout.str()
