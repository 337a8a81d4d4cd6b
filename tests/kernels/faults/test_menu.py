"""Each fault declares what follows, and it does follow."""

from __future__ import annotations

import dataclasses
import pickle
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_tfkernel.kernels.faults.fault import Fault
from pytest_tfkernel.kernels.faults.menu import FAULTS, find
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import FaultError, FaultNotPossibleError, KernelIsDead
from pytest_tfkernel.model.faults import Dies
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Cause, ExitStatus, PostMortem
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, CgroupUnavailableError

StartKernel = Callable[..., Kernel]
MIB = 1 << 20
_OF_TENSORFLOW = ("tf-index-error", "oom-tensor")
# What needs a GPU is in tests/suite/test_scenarios_gpu.py and in tests/gpu.
_OF_ANY_PYTHON = [one for one in FAULTS if one.name not in _OF_TENSORFLOW and not one.harms]
_HELD = "import tensorflow as tf\nheld = tf.compat.v1.Session(graph=tf.Graph())\nkept = 2.0"


def _check(kernel: Kernel, fault: Fault) -> None:
    pid = kernel.pid
    hangs = isinstance(fault.expects, Dies) and fault.expects.cause is Cause.DEADLINE
    outcome = kernel.inject(fault.name, timeout=None if hangs else 60)
    assert outcome.fault == fault.name
    if isinstance(fault.expects, Dies):
        assert outcome.post_mortem is not None
        assert outcome.post_mortem is kernel.post_mortems[-1]
        assert outcome.post_mortem.exit_status == fault.expects.status
        assert outcome.post_mortem.cause is fault.expects.cause
        assert outcome.post_mortem.killer is fault.expects.killer
        assert bool(outcome.post_mortem.stack) is fault.expects.stack
        assert not kernel.is_alive
    else:
        assert outcome.post_mortem is None
        assert outcome.reply is not None
        assert outcome.reply.error is not None
        assert outcome.reply.error.type.endswith(fault.expects.errors)
        assert (kernel.pid, kernel.generation, kernel.is_alive) == (pid, 1, True)


@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
@pytest.mark.parametrize("fault", _OF_ANY_PYTHON, ids=lambda one: one.name)
def test_what_it_declares_follows(
    start: StartKernel, fault: Fault, provisioner: str, needs_cgroup: Callable[[str], None]
) -> None:
    if fault.requires:
        needs_cgroup({"oom-kill": MEMORY, "process-limit": PIDS}[fault.requires[0]])
    kernel = start(provisioner=provisioner)
    _check(kernel, fault)
    kernel.restart()
    assert kernel.execute("1").value == 1


@pytest.fixture(scope="module")
def tensorflow_kernel(launcher: Launcher, tensorflow_python: str) -> Iterator[Kernel]:
    kernel = launcher.start(KernelSpec(python=tensorflow_python))
    # Another allocator of TensorFlow's waits 10 s for room.
    kernel.execute(f"import os\nos.environ['TF_ONEDNN_USE_SYSTEM_ALLOCATOR'] = '1'\n{_HELD}")
    yield kernel
    kernel.shutdown()


@pytest.mark.parametrize("name", _OF_TENSORFLOW)
def test_what_it_declares_follows_in_tensorflow(tensorflow_kernel: Kernel, name: str) -> None:
    _check(tensorflow_kernel, find(name))
    assert tensorflow_kernel.execute("kept").value == 2.0


def test_oom_kill_bites_in_a_kernel_that_has_a_limit(start: StartKernel, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(MEMORY)
    _check(start(memory_limit=64 * MIB), find("oom-kill"))


def test_oom_kill_without_a_cgroup_is_not_possible_with_the_reason(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise CgroupUnavailableError("the memory cgroup controller is not mounted")

    monkeypatch.setattr("pytest_tfkernel.processes.cgroups.find_parent", refuse)
    with pytest.raises(FaultNotPossibleError, match="^no OOM kill can be made here: the memory .* is not mounted$"):
        kernel.inject("oom-kill")
    assert kernel.execute("1").value == 1


@pytest.mark.parametrize("name", ["oom-gpu", "cuda-fault"])
def test_a_fault_of_a_gpu_is_not_possible_where_none_can_be_used(start: StartKernel, name: str) -> None:
    # No driver here, or none of its GPUs.
    kernel = start(environment={"CUDA_VISIBLE_DEVICES": ""})
    with pytest.raises(
        FaultNotPossibleError, match="^there is no GPU that this kernel can use: .*(libcuda|visible|100)"
    ):
        kernel.inject(name)
    assert kernel.execute("1").value == 1


def test_a_signal_that_is_ignored_is_no_death(kernel: Kernel) -> None:
    import dataclasses

    kernel.execute("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    outcome = kernel.inject(dataclasses.replace(find("sigterm"), seconds=0.1))
    assert (outcome.reply, outcome.post_mortem) == (None, None)
    assert kernel.is_alive


def test_names_are_found_and_unknown_ones_told() -> None:
    assert find("sigkill").name == "sigkill"
    assert find(find("sigkill")) is find("sigkill")
    with pytest.raises(FaultError, match=r"^fault 'nuke' is unknown: choose from sigkill, .*oom-memory-error.*$"):
        find("nuke")
    assert len({one.name for one in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("timeout", [-1, 0, "5"])
def test_a_deadline_that_is_none_is_refused_before_it_strikes(kernel: Kernel, timeout: float) -> None:
    with pytest.raises(ValueError, match="must be seconds above 0"):
        kernel.inject("sigkill", timeout=timeout)
    assert kernel.is_alive


def test_a_strike_is_judged_by_what_it_leaves(kernel: Kernel) -> None:
    import dataclasses

    with pytest.raises(FaultError, match="fault 'sigterm' struck with 5: `strike` must return a Reply or None"):
        kernel.inject(dataclasses.replace(find("sigterm"), strike=lambda *_: 5))  # type: ignore[arg-type]
    ends = dataclasses.replace(find("index-error"), strike=lambda kernel, _: kernel.shutdown())
    found = kernel.inject(ends).post_mortem
    assert found is not None
    assert found.exit_status == ExitStatus(code=0)


def test_of_two_faults_at_once_one_strikes_and_the_other_finds_a_dead_kernel(kernel: Kernel) -> None:
    def strike(name: str) -> object:
        try:
            return kernel.inject(name).post_mortem
        except KernelIsDead as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(strike, ["sigkill", "sigterm"]))
    died = [one for one in results if isinstance(one, PostMortem)]
    refused = [one for one in results if isinstance(one, KernelIsDead)]
    assert (len(died), len(refused)) == (1, 1)
    assert refused[0].post_mortem == died[0]


def test_a_fault_on_a_dying_kernel_finds_it_dead(kernel: Kernel) -> None:
    kernel.signal(signal.SIGKILL)
    try:
        post_mortem = kernel.inject("os-exit-0").post_mortem
    except KernelIsDead as error:
        post_mortem = error.post_mortem
    assert post_mortem is not None
    assert str(post_mortem.exit_status) == "SIGKILL"


class TestAMenuThatCanBeWrittenDown:
    """Nothing on it is code: a plan of faults is data, and strikes as it did when it is read again."""

    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
    def test_each_comes_back_as_it_was(self, fault: Fault) -> None:
        assert pickle.loads(pickle.dumps(fault)) == fault
        assert dataclasses.is_dataclass(fault.strike)

    def test_no_two_do_the_same(self) -> None:
        assert len({fault.strike for fault in FAULTS}) == len(FAULTS)
