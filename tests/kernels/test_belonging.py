"""What a kernel starts is its own, whatever it wears; and what isn't below us is nobody's to end."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts import NOBODY
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from strays import STRAY

StartKernel = Callable[..., Kernel]
AwaitDeath = Callable[[int], None]
REPOSITORY = Path(__file__).parents[2]
PROVISIONERS = ["forkserver", "subprocess", "multiprocess-spawn", "multiprocess-forkserver", "jupyter"]


def _each_once(ways: list[Any]) -> list[Any]:
    """Each way with kernels of our own, which start at once; each of the others, with a host, in one way."""
    return [
        pytest.param(
            way,
            provisioner,
            id=f"{getattr(way, '__name__', way)}-{provisioner}",
            marks=[pytest.mark.soak] * (place > 1 and ways[place % len(ways)] != way),
        )
        for way in ways
        for place, provisioner in enumerate(PROVISIONERS)
    ]


# Whoever does this wears no lease, or that of somebody else.
SHED = "import resource; resource.setrlimit(10, ({number}, resource.getrlimit(10)[1]))"
# Until it is ended; a signal that asks for its stack wakes it.
HANGS = "import signal\nwhile True: signal.pause()"


@pytest.mark.parametrize(("number", "provisioner"), _each_once(["7", "resource.getrlimit(10)[1]"]))
def test_a_kernel_that_wears_another_number_ends(start: StartKernel, number: str, provisioner: str) -> None:
    kernel = start(provisioner=provisioner)
    kernel.execute(SHED.format(number=number))
    with pytest.raises(KernelHung) as hung:
        kernel.execute(HANGS, timeout=0.3)
    assert hung.value.post_mortem.exit_status is not None
    assert proc.start_time(kernel.pid) is None


@pytest.fixture
def alone() -> Iterator[Launcher]:
    """A launcher whose kernels are all there are."""
    with Launcher() as launcher:
        yield launcher


@pytest.mark.usefixtures("impatient")
def test_what_has_shed_everything_is_of_the_only_kernel(alone: Launcher) -> None:
    kernel = alone.start(KernelSpec(provisioner=ForkServer(preload=())))
    stray = kernel.execute(STRAY).value
    assert (proc.lease_of(stray), os.getsid(stray)) == (7, stray)
    kernel.inject("sigkill")
    kernel.restart()
    assert [one.process.pid for one in kernel.left_behind] == [stray]
    assert proc.start_time(stray) is None


@pytest.mark.usefixtures("impatient")
def test_a_parent_that_is_seen_is_never_forgotten(alone: Launcher) -> None:
    kernel, neighbour = (
        alone.start(KernelSpec(provisioner=ForkServer(preload=()))),
        alone.start(KernelSpec(provisioner=ForkServer(preload=()))),
    )
    # It stays, and is seen, before it leaves its parent.
    cell = STRAY.replace("os._exit(0)", "os.read(go, 1); os._exit(0)").replace(
        "reader,", "go, went = os.pipe(); reader,"
    )
    stray = kernel.execute(cell.replace("os.wait()\nos.close(writer)", "os.close(writer)")).value
    assert stray in [one.process.pid for one in alone.supervisor.members(kernel.life.lease)]
    kernel.execute("os.write(went, b'.'); os.wait()")
    assert proc.read_stat(stray).parent == alone.supervisor.pid  # type: ignore[union-attr]
    assert neighbour.leftovers() == []
    assert [one.process.pid for one in kernel.leftovers()] == [stray]


def test_what_two_kernels_may_have_started_is_blamed_on_neither_and_ends_with_both(await_death: AwaitDeath) -> None:
    with Launcher() as launcher:
        kernel, neighbour = (
            launcher.start(KernelSpec(provisioner=ForkServer(preload=()))),
            launcher.start(KernelSpec(provisioner=ForkServer(preload=()))),
        )
        stray = kernel.execute(STRAY).value
        for one in (kernel, neighbour):
            one.inject("sigkill")
            one.restart()
            assert one.left_behind == ()
        assert proc.start_time(stray) is not None
    await_death(stray)


def test_a_kernel_that_wears_its_neighbours_number_is_not_taken_for_it(alone: Launcher) -> None:
    kernel, neighbour = (
        alone.start(KernelSpec(provisioner=ForkServer(preload=()))),
        alone.start(KernelSpec(provisioner=ForkServer(preload=()))),
    )
    kernel.execute(SHED.format(number=neighbour.life.lease))
    assert proc.lease_of(kernel.pid) == proc.lease_of(neighbour.pid)
    neighbour.inject("sigkill")
    neighbour.restart()
    assert neighbour.left_behind == ()
    assert kernel.execute("'lives'").value == "lives"


@pytest.mark.parametrize("user", [None, NOBODY])
def test_nobody_outside_is_ended_whatever_they_wear(alone: Launcher, user: int | None) -> None:
    if user is not None and os.geteuid() != 0:
        pytest.skip("only root can start a process of another user")
    kernel = alone.start(KernelSpec(provisioner=ForkServer(preload=())))

    def wear() -> None:
        resource.setrlimit(proc.RLIMIT_LOCKS, (kernel.life.lease, resource.getrlimit(proc.RLIMIT_LOCKS)[1]))

    with subprocess.Popen(["sleep", "64"], preexec_fn=wear, user=user, start_new_session=True) as stranger:  # noqa: PLW1509 - it takes no lock
        assert proc.lease_of(stranger.pid) == kernel.life.lease
        with pytest.raises(KernelHung):
            kernel.execute(HANGS, timeout=0.3)
        kernel.restart()
        assert kernel.left_behind == ()
        alone.close()
        assert stranger.poll() is None
        stranger.kill()


def run(script: str, **options: Any) -> Any:
    """The JSON that another Python prints, which has the package and nothing of pytest."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False, **options
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


# What stays is not waited for.
HASTE = """
from pytest_tfkernel.kernels.generations.life import Life
Life.leftovers.__defaults__ = Life.bury.__defaults__ = (0.2,)
"""
FEW_LOCKS = f"""
import json, resource, subprocess
resource.setrlimit(10, (LIMIT, LIMIT))
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
{HASTE}STRAY = {STRAY.replace("(7, ", "(0, ")!r}
bystander = subprocess.Popen(["sleep", "65"], start_new_session=True)
found = []
with Launcher() as launcher:
    for _ in range(8):
        kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        stray = kernel.execute(STRAY).value
        kernel.inject("sigkill")
        kernel.restart()
        found.append([one.process.pid for one in kernel.left_behind] == [stray])
        kernel.shutdown()
lives = bystander.poll() is None
bystander.kill()
print(json.dumps([found, lives]))
"""


@pytest.mark.parametrize("limit", [0, 5, 1 << 40])
def test_a_small_limit_on_locks_harms_nobody(limit: int) -> None:
    assert run(FEW_LOCKS.replace("LIMIT", str(limit))) == [[True] * 8, True]


# Without the right to signal processes of other users, as an ordinary user has it; then once more, in Python.
WITHOUT_KILL = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_KILL = 24, 5
assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-c", {script!r}])
"""
OF_ANOTHER_USER = """
import json
from pytest_tfkernel.model.errors import KernelDied
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
BECOME = "import os; os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)"
with Launcher() as launcher:
    neighbour, parent, kernel = (launcher.start(KernelSpec(provisioner=ForkServer(preload=()))) for _ in range(3))
    child = parent.execute(f'''
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BECOME + "; os.write(1, b'.'); os.read(0, 1)"!r}], stdin=-1, stdout=-1)
assert child.stdout.read(1) == b"."
child.pid
''').value
    parent.inject("sigkill")
    # What is its input has ended with it.
    left = [one.process.pid for one in parent.leftovers()]
    stays = kernel.execute(f'''
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {BECOME + "; import time; os.write(1, b'.'); time.sleep(66)"!r}], stdout=-1)
assert child.stdout.read(1) == b"."
child.pid
''').value
    kernel.inject("sigkill")
    kernel.restart()
    behind = [one.process.pid for one in kernel.left_behind]
    kernel.execute(BECOME)
    note = ""
    try:
        kernel.execute(HANGS, timeout=0.3)
    except KernelDied as died:
        note = died.post_mortem.note
    survivor = kernel.pid
    works = neighbour.execute("6 * 7").value
print(json.dumps(dict(left=left, child=child, behind=behind, stays=stays, note=note, works=works, survivor=survivor)))
"""


def test_a_refused_signal_ends_no_supervisor_and_no_neighbour() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    told = run(WITHOUT_KILL.format(script=f"HANGS = {HANGS!r}\n{HASTE}{OF_ANOTHER_USER}"))
    for pid in (told["stays"], told["survivor"]):
        os.kill(pid, 9)
    assert told["left"] == []
    assert told["behind"] == [told["stays"]]
    assert told["works"] == 42
    assert "it could not be ended" in told["note"]


SIGNALS_BLOCKED = """
import json, signal
signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
STATE = '''
import signal
ignored = [int(number) for number in signal.Signals if signal.getsignal(number) is signal.SIG_IGN]
[sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))), ignored]
'''
with Launcher() as launcher:
    kernel = launcher.start(KernelSpec(PROVISIONER))
    state = kernel.execute(STATE).value
    died = kernel.inject("os-exit-3").post_mortem
    kernel.restart()
    again = kernel.inject("sigterm").post_mortem
print(json.dumps([state, died.exit_status.code, died.cause.value, again.exit_status.signal, again.killer.value]))
"""


@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess", "multiprocess-spawn"])
def test_what_pytest_blocks_or_ignores_is_its_own_affair(provisioner: str) -> None:
    chosen = "ForkServer(preload=())" if provisioner == "forkserver" else repr(provisioner)
    state, code, cause, number, killer = run(SIGNALS_BLOCKED.replace("PROVISIONER", f"provisioner={chosen}"))
    # Python itself ignores SIGPIPE and, where there is one, SIGXFSZ.
    assert (state, code, cause, number, killer) == ([[], [13, 25]], 3, "exit", 15, "us")


# Other semaphores have no name any more when they have been made.
SHARED = """
import multiprocessing
from multiprocessing import shared_memory
block = shared_memory.SharedMemory(create=True, size=1 << 20)
semaphore = multiprocessing.get_context("spawn").Semaphore()
["/dev/shm/" + block.name.lstrip("/"), "/dev/shm/" + semaphore._semlock.name.replace("/", "sem.", 1)]
"""


def share(kernel: Kernel) -> list[Path]:
    paths = [Path(name) for name in kernel.execute(SHARED).value]
    assert [path.exists() for path in paths] == [True, True]
    return paths


def are_gone(paths: list[Path]) -> bool:
    return not any(path.exists() for path in paths)


def end_by_deadline(kernel: Kernel) -> None:
    with pytest.raises(KernelHung):
        kernel.execute(HANGS, timeout=0.3)


def end_by_force(kernel: Kernel) -> None:
    kernel.shutdown(now=True)


def end_by_signal(kernel: Kernel) -> None:
    kernel.inject("sigkill")


def end_torn(kernel: Kernel) -> None:
    with pytest.raises(KernelDied):
        kernel.execute("import os; os.write(3, b'\\xff' * 64); os.read(os.pipe()[0], 1)", timeout=20)


@pytest.mark.parametrize(("end", "provisioner"), _each_once([end_by_deadline, end_by_force, end_by_signal]))
def test_trackers_remove_what_an_ended_kernel_has_shared(
    start: StartKernel, provisioner: str, end: Callable[[Kernel], None]
) -> None:
    kernel = start(provisioner=provisioner)
    paths = share(kernel)
    end(kernel)
    kernel.shutdown()
    assert are_gone(paths)


def test_a_torn_channel_leaves_a_tracker_its_moment(start: StartKernel) -> None:
    kernel = start()
    paths = share(kernel)
    end_torn(kernel)
    assert are_gone(paths)


def test_trackers_have_their_moment_when_pytest_is_killed(await_death: AwaitDeath, tmp_path: Path) -> None:
    script = f"""
import time
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
launcher = Launcher()
kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
print(*kernel.execute({SHARED!r}).value, launcher.supervisor.pid, flush=True)
time.sleep(60)
"""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, text=True, env=environment) as owner:
        assert owner.stdout is not None
        *names, supervisor = owner.stdout.readline().split()
        paths = [Path(name) for name in names]
        assert [path.exists() for path in paths] == [True, True]
        owner.kill()
        await_death(int(supervisor))
    assert are_gone(paths)
