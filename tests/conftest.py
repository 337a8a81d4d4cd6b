"""What the tests share: a launcher, cheap kernels, interpreters, and a look at what is left in the end."""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

import impatience
import pytest_tfkernel
import rewriting
from driver_stub import DriverStub, build, device
from inner import Inner
from measured import is_measured, measure_supervisors
from pytest_tfkernel._child import frames, proc, process
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.cgroups import MEMORY, PIDS, CgroupUnavailableError, find_parent
from pytest_tfkernel.processes.pidfds import is_dead, open_pidfd
from pytest_tfkernel.processes.wire import Channel
from pytest_tfkernel.trials.stage import Stage
from warm import Warm
from warm_hosts import WarmHosts

StartKernel = Callable[..., Kernel]
FindPython = Callable[[str], str]

# No TensorFlow, no import at all: such a kernel starts in milliseconds.
LIGHT = KernelSpec(provisioner=ForkServer(preload=()))
# So long something of another session may stay that nobody uses: what a dead process has left there goes when the last of
# those ends that share its resource tracker, and another worker may have just begun its longest test.
_SHARED_SECONDS = 60.0
REPOSITORY = Path(__file__).parent.parent

measure_supervisors()


def pytest_configure(config: pytest.Config) -> None:
    """Once for a thousand processes that import it; where PYTHONDONTWRITEBYTECODE is set, each would compile it all."""
    if not hasattr(config, "workerinput"):
        wait = rewriting.begin(config)
        for folder in (*pytest_tfkernel.__path__, str(REPOSITORY / "tests" / "support")):
            compileall.compile_dir(folder, quiet=2)
        wait()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Coverage is in the processes at which some look, and isn't what they look for."""
    if item.get_closest_marker("uncovered") and is_measured():
        pytest.skip("what it looks at is another thing where coverage is measured")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What one worker has rewritten of the test modules is there for the others, and for the next run.

    And what is collected stays: nobody looks through seven thousand tests for garbage, least of all where the gate does.
    """
    gc.disable()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "dont_write_bytecode", False)
            return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail the session when its tests leave a process, a cgroup, shared memory or a temporary file."""
    # pytest's own is made before TMPDIR is another.
    tmp_path_factory.getbasetemp()
    # Not below pytest's folder: the path of a Unix socket has at most 107 bytes.
    temporary = Path(tempfile.mkdtemp(prefix="t-"))
    shared = set(os.listdir("/dev/shm"))
    before = {one["pid"] for one in proc.descendants(os.getpid())}
    # In the background, or under nohup, we have them ignored, and so would have all that we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # Orphans of a process that a test has killed come to us, so that they can be counted.
    process.become_subreaper()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        # No test is about Keras, which TensorFlow imports otherwise, and with it matplotlib: a quarter of its import.
        patch.setenv("TF_USE_LEGACY_KERAS", "1")
        patch.setattr(tempfile, "tempdir", None)
        yield
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    left = [proc.command_line(one["pid"]) for one in proc.descendants(os.getpid()) if one["pid"] not in before]
    files = list(temporary.iterdir())
    # Whatever is wrong, this goes.
    shutil.rmtree(temporary)
    assert left == [], "processes outlived the tests"
    assert cgroups_of(os.getpid()) == [], "cgroups outlived the tests"
    assert files == [], "temporary files outlived the tests"
    assert _left_in_shared_memory(shared) == set(), "shared memory outlived"


def cgroups_of(pid: int) -> list[Path]:
    """The cgroups that this process of ours has made and that are still there."""
    folders = set()
    for controller in (MEMORY, PIDS):
        with contextlib.suppress(CgroupUnavailableError):
            folders |= set(find_parent(controller).folder.glob(f"tfkernel-{pid}-*"))
    return sorted(folders)


def _left_in_shared_memory(before: set[str]) -> set[str]:
    """What is there since and nobody uses.

    Others on the machine may make, use and remove theirs between our looks: what is left stays, so look again.
    """
    deadline = time.monotonic() + _SHARED_SECONDS
    left = set(os.listdir("/dev/shm")) - before
    while left := (left & set(os.listdir("/dev/shm"))) - _used_by_others("/dev/shm/"):
        if time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return left


def _used_by_others(prefix: str) -> set[str]:
    # We aren't alone on the machine: what a living process maps or holds open is its own.
    names = set()
    for pid in proc.pids():
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").split()
            words += [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
            names |= {word.removeprefix(prefix) for word in words if word.startswith(prefix)}
    return names


@pytest.fixture(scope="session")
def launcher(nothing_is_left: None) -> Iterator[Launcher]:
    """One launcher for all tests that don't hurt it."""
    with Launcher() as launcher:
        yield launcher


@pytest.fixture(scope="session")
def warm_hosts(nothing_is_left: None) -> Iterator[WarmHosts]:
    """What hosts, and their kernels, are forked from."""
    warm = WarmHosts()
    yield warm
    warm.close()


@pytest.fixture(scope="session")
def host_launcher(warm_hosts: WarmHosts) -> Iterator[Launcher]:
    """One launcher for tests of what kernels of Jupyter's and Spyder's do, and not of how they begin."""
    with warm_hosts.beneath():
        launcher = Launcher()
    with launcher:
        yield launcher


@pytest.fixture
def forked_hosts(warm_hosts: WarmHosts) -> Iterator[None]:
    """The same of launchers that a test has for itself."""
    with warm_hosts.beneath():
        yield


@pytest.fixture(scope="session")
def stage(launcher: Launcher) -> Iterator[Stage]:
    """What trials are played on."""
    stage = Stage(launcher)
    yield stage
    stage.close()


@pytest.fixture
def start(launcher: Launcher) -> Iterator[StartKernel]:
    """Start a kernel without TensorFlow, or as the keywords say; each is ended with the test."""
    yield from _starter(launcher)


def _starter(launcher: Launcher) -> Iterator[StartKernel]:
    started: list[Kernel] = []

    def start(**spec: object) -> Kernel:
        changes = {"provisioner": "forkserver", "timeout": 30.0, "start_timeout": 60.0, **spec}
        if changes["provisioner"] == "forkserver":
            changes["provisioner"] = ForkServer(preload=())
        started.append(launcher.start(KernelSpec(**changes)))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for kernel in started:
        kernel.shutdown()
        assert not kernel.is_alive
        assert kernel.life.leftovers() == []


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those that stand in for the driver's; the first worker that needs them compiles them for all."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "driver.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "driver").exists():
            build(folder / "driver.new").rename(folder / "driver")
    return folder / "driver"


@pytest.fixture
def stub(libraries: Path, tmp_path: Path) -> DriverStub:
    """A machine with one GPU."""
    stub = DriverStub(libraries, tmp_path)
    stub.write(device())
    return stub


@pytest.fixture
def kernel(start: StartKernel) -> Kernel:
    """A kernel without TensorFlow."""
    return start()


@pytest.fixture(scope="session")
def tensorflow_python(launcher: Launcher) -> str:
    """Our own interpreter, where it has TensorFlow."""
    if launcher.interpreter(sys.executable).tensorflow is None:
        pytest.skip(f"{sys.executable} has no TensorFlow: install tensorflow-cpu")
    return sys.executable


@pytest.fixture(scope="session")
def find_python() -> FindPython:
    """Find an interpreter by its version, `3.7` say; skips with the reason where there is none."""
    found: dict[str, str | None] = {}

    def find(version: str) -> str:
        if version not in found:
            found[version] = _find_python(version)
        path = found[version]
        if path is None:
            pytest.skip(f"no Python {version} found, neither on PATH nor by pyenv")
        return path

    return find


def _find_python(version: str) -> str | None:
    candidates = [shutil.which(f"python{version}")]
    candidates += map(str, Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    for candidate in candidates:
        if candidate is None:
            continue
        # A shim of pyenv's is there for every version, also for those that it won't run.
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        answer = subprocess.run([candidate, "-c", code], capture_output=True, text=True, check=False)
        if answer.stdout.strip() == version:
            return candidate
    return None


@pytest.fixture
def needs_cgroup() -> Callable[[str], None]:
    """Skip the test, with the reason, where no cgroup with this controller can be made."""

    def need(controller: str) -> None:
        try:
            find_parent(controller)
        except CgroupUnavailableError as error:
            pytest.skip(str(error))

    return need


@pytest.fixture(scope="session")
def escape() -> str:
    """A cell that starts a process which does all it can to get away; its value is that one's pid."""
    return """
import os
reader, writer = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        os.set_inheritable(writer, True)
        os.execve("/bin/sh", ["sh", "-c", "echo $$ >&%d; exec sleep 62" % writer], {})
    os._exit(0)
os.wait()
os.close(writer)
with os.fdopen(reader) as file:
    escaped = int(file.readline())
escaped
"""


@pytest.fixture(scope="session")
def await_death() -> Callable[[int], None]:
    """Wait until a process is dead, reaped or not; fails after 10 s."""

    def wait(pid: int) -> None:
        start_time = proc.start_time(pid)
        pidfd = open_pidfd(ProcessId(pid, start_time)) if start_time is not None else None
        if pidfd is None:
            return
        try:
            assert is_dead(pidfd, 10), f"process {pid} lives: {proc.command_line(pid)}"
        finally:
            os.close(pidfd)

    return wait


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], object]], None]:
    """Wait for what no descriptor tells of, such as a file that another process removes; 60 s at most."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, "it didn't happen within 60 s"
            time.sleep(0.005)

    return wait


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a kernel has left, or a kernel whose channel is broken, is known to stay, so few wait for its end."""
    impatience.hasten(monkeypatch)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, frames.Port]]:
    """Both ends of a channel: ours, and that of a child."""
    ours, theirs = Channel.pair()
    port = frames.Port(theirs)
    yield ours, port
    ours.close()
    port.close()


@pytest.fixture
def machine(stub: DriverStub, monkeypatch: pytest.MonkeyPatch) -> DriverStub:
    """The stand-in for a driver, for all processes that are started from now on."""
    for name in ("LD_LIBRARY_PATH", "TFKERNEL_STUB"):
        monkeypatch.setenv(name, stub.environment[name])
    return stub


@pytest.fixture
def gpus(machine: DriverStub, launcher: Launcher, tmp_path: Path) -> Iterator[Gpus]:
    """The GPUs of that machine."""
    devices = tmp_path / "dev"
    devices.mkdir()
    (devices / "nvidia0").touch()
    gpus = Gpus(launcher, devices=devices)
    yield gpus
    gpus.close()


@pytest.fixture(scope="session")
def warm(nothing_is_left: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """What pytests are forked from; `None` in files that are about how one begins."""
    warm = Warm(Inner.make(tmp_path_factory.mktemp("warm")).environment)
    yield warm
    warm.close()


@pytest.fixture
def inner(tmp_path: Path, warm: Warm | None) -> Inner:
    """An empty folder."""
    return Inner.make(tmp_path, warm=warm)
