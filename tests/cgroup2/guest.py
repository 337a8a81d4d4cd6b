"""What cgroup v2 must do for us, in the place where we are; init.py says which of the two classes is meant.

Run by boot.py only: the name keeps it out of the ordinary tests.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import FaultNotPossibleError, KernelDied, KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, CgroupUnavailableError, Parent, find_parent

MIB = 1024 * 1024
ROOT = Path("/sys/fs/cgroup")
EAT = "x = bytearray(1 << 30)\nx[::4096] = x[::4096]"
BOMB = """
import os, time
kernel, end = os.getpid(), time.monotonic() + 2
while time.monotonic() < end:
    try: os.fork()
    except OSError: pass
if os.getpid() != kernel: os._exit(0)
"over"
"""

StartKernel = Callable[..., Kernel]


@pytest.fixture(scope="module")
def launcher() -> Iterator[Launcher]:
    with Launcher() as launcher:
        yield launcher
    assert ours() == [], "cgroups outlived the tests"


@pytest.fixture(params=["subprocess", "forkserver"])
def start(request: pytest.FixtureRequest, launcher: Launcher) -> Iterator[StartKernel]:
    started: list[Kernel] = []

    def start(**spec: object) -> Kernel:
        provisioner = ForkServer(preload=()) if request.param == "forkserver" else request.param
        started.append(launcher.start(KernelSpec(provisioner=provisioner, **spec)))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for kernel in started:
        kernel.shutdown()
    assert ours() == [], "cgroups outlived their kernels"


def ours() -> list[Path]:
    return [path for path in ROOT.rglob("tfkernel-*") if path.is_dir()]


def cgroup_of(pid: int) -> Path:
    return ROOT / Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::/")


def is_oom_kill(post_mortem: PostMortem | None) -> bool:
    assert post_mortem is not None
    assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
    return (post_mortem.cause, post_mortem.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)


class TestPossible:
    @pytest.mark.parametrize("controller", [MEMORY, PIDS])
    def test_the_parent(self, controller: str) -> None:
        found = find_parent(controller)
        assert found.version == 2
        # One with fewer controllers may be nearer.
        assert found.folder.is_relative_to(os.environ["TFKERNEL_GUEST_PARENT"])

    def test_oom_kill(self, start: StartKernel) -> None:
        kernel = start()
        before = cgroup_of(kernel.pid)
        assert is_oom_kill(kernel.inject("oom-kill").post_mortem)
        assert kernel.life.cgroup is not None
        (file,) = kernel.life.cgroup.procs_files
        kernel.restart()
        assert not Path(file).exists()
        assert cgroup_of(kernel.pid) == before
        assert kernel.execute("1").value == 1

    def test_oom_kill_under_limits(self, start: StartKernel) -> None:
        kernel = start(memory_limit=64 * MIB, process_limit=20)
        assert is_oom_kill(kernel.inject("oom-kill").post_mortem)

    def test_oom_kill_leaves_the_limit_on_processes(self, start: StartKernel) -> None:
        kernel = start(process_limit=20)
        assert is_oom_kill(kernel.inject("oom-kill").post_mortem)
        assert kernel.life.cgroup is not None
        (file,) = kernel.life.cgroup.procs_files
        assert Path(file).with_name("pids.max").read_text() == "20\n"

    def test_a_limit_on_memory(self, start: StartKernel) -> None:
        kernel = start(memory_limit=64 * MIB)
        folder = cgroup_of(kernel.pid)
        limits = {name: (folder / name).read_text().strip() for name in ("memory.max", "memory.oom.group")}
        assert limits == {"memory.max": str(64 * MIB), "memory.oom.group": "0"}
        assert kernel.execute("len(bytearray(16 << 20))").value == 16 * MIB
        with pytest.raises(KernelDied) as died:
            kernel.execute(EAT)
        assert is_oom_kill(died.value.post_mortem)
        kernel.restart()
        assert not folder.exists()

    def test_a_limit_on_memory_takes_the_child(self, start: StartKernel) -> None:
        kernel = start(memory_limit=64 * MIB)
        cell = f"import os, subprocess, sys\nsubprocess.call([sys.executable, '-c', {EAT!r}])"
        assert kernel.execute(cell).value == -signal.SIGKILL
        assert kernel.life.oom_kills() == 1
        with pytest.raises(KernelDied) as died:
            kernel.execute("os.kill(os.getpid(), 9)")
        post_mortem = died.value.post_mortem
        assert (post_mortem.cause, post_mortem.killer) == (Cause.SIGNAL, Killer.UNKNOWN)

    def test_a_start_that_runs_out_of_memory(self, start: StartKernel) -> None:
        with pytest.raises(KernelStartError, match="oom-kill"):
            start(memory_limit=64 * MIB, startup=EAT)

    def test_a_limit_on_processes(self, start: StartKernel) -> None:
        kernel = start(process_limit=3)
        cell = (
            "import os\npids = []\ntry:\n    while True:\n        pid = os.fork()\n"
            "        if not pid: os.read(os.pipe()[0], 1)\n        pids.append(pid)\n"
            "except OSError as error: said = str(error)\n"
            "[os.kill(p, 9) for p in pids]\n[os.wait() for p in pids]\n[len(pids), said]"
        )
        count, said = kernel.execute(cell).value
        assert (count, "temporarily unavailable" in said) == (2, True)

    def test_both_limits(self, start: StartKernel) -> None:
        kernel = start(memory_limit=64 * MIB, process_limit=20)
        folder = cgroup_of(kernel.pid)
        assert folder.parent == Path(os.environ["TFKERNEL_GUEST_PARENT"])
        assert (folder / "memory.max").read_text() == f"{64 * MIB}\n"
        assert (folder / "pids.max").read_text() == "20\n"

    def test_a_fork_bomb(self, start: StartKernel) -> None:
        kernel = start(memory_limit=128 * MIB, process_limit=20)
        folder = cgroup_of(kernel.pid)
        # It ends by itself: how fast the supervisor ends one can't be told on an emulated processor.
        assert kernel.execute(BOMB).value == "over"
        assert int((folder / "pids.events").read_text().split()[1]) > 0
        kernel.restart()
        assert not folder.exists()
        assert kernel.execute("1").value == 1

    def test_cgroups_go_with_a_killed_owner(self) -> None:
        code = (
            "import time\nfrom pytest_tfkernel.kernels.launcher import Launcher\n"
            "from pytest_tfkernel.model.kernels import KernelSpec\n"
            "from pytest_tfkernel.model.provisioners import ForkServer\n"
            "spec = KernelSpec(provisioner=ForkServer(preload=()), process_limit=50, memory_limit=1 << 27)\n"
            "kernel = Launcher().start(spec)\n"
            "print(kernel.pid, flush=True)\ntime.sleep(600)\n"
        )
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
            assert owner.stdout is not None
            folder = cgroup_of(int(owner.stdout.readline()))
            assert folder in ours()
            owner.kill()
        deadline = time.monotonic() + 30
        while folder.exists():
            assert time.monotonic() < deadline, "the cgroup of a killed owner stays"
            time.sleep(0.05)


class TestImpossible:
    def test_the_reason(self) -> None:
        for controller in (MEMORY, PIDS):
            reason = re.sub(r"\bmemory controller", f"{controller} controller", os.environ["TFKERNEL_GUEST_REASON"])
            with pytest.raises(CgroupUnavailableError, match=reason) as refused:
                find_parent(controller)
            print(f"\n{refused.value}")
            assert "\n" not in str(refused.value)

    def test_oom_kill(self, start: StartKernel) -> None:
        kernel = start()
        with pytest.raises(FaultNotPossibleError) as refused:
            kernel.inject("oom-kill")
        prefix = "no OOM kill can be made here: "
        assert str(refused.value).startswith(prefix)
        assert re.search(os.environ["TFKERNEL_GUEST_REASON"], str(refused.value).removeprefix(prefix))
        assert kernel.execute("1").value == 1

    def test_a_limit(self, start: StartKernel) -> None:
        with pytest.raises(KernelStartError, match=r"^memory_limit and process_limit need a cgroup, and none can"):
            start(memory_limit=64 * MIB)

    def test_the_remedy_that_is_named(self) -> None:
        remedied = os.environ["TFKERNEL_GUEST_REMEDY"]
        with pytest.raises(CgroupUnavailableError) as refused:
            find_parent(MEMORY)
        remedies = re.findall("`([^`]*cgroup.subtree_control)`", str(refused.value))
        if not remedied:
            assert remedies == []
            return
        inner = [argument.replace("::TestImpossible", "::TestPossible") for argument in sys.argv[1:]]
        answer = subprocess.run(
            ["sh", "-c", f'set -e\n{remedies[0]}\nexec "$@"', "sh", sys.executable, "-m", "pytest", *inner],
            env={**os.environ, "TFKERNEL_GUEST_PARENT": remedied},
            check=False,
            capture_output=True,
            text=True,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        # It moved us, too.
        assert find_parent(MEMORY) == Parent(2, Path(remedied))
