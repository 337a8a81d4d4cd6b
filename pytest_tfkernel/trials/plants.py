"""Planted leaks, one of each kind: the audit must find them before it is believed that there are none.

A kernel without TensorFlow plants them and is killed. All that is planted is removed again, however we end: processes
and what they hold go with the supervisor, and so do the names that are its to remove.
"""

from __future__ import annotations

import contextlib
import dataclasses
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_tfkernel.audit.ledger import EYES, Eyes
from pytest_tfkernel.audit.probes import Probe
from pytest_tfkernel.audit.probes.devices import Devices
from pytest_tfkernel.audit.probes.segments import Segments
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import SupervisorGoneError, TFKernelError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.resources import Audit, Kind
from pytest_tfkernel.trials.auditing import KernelWatch
from pytest_tfkernel.trials.cells import CellFailedError, value

# Stands for a GPU: any device will do, and this one is there on every Linux.
DEVICE = "/dev/full"
_SETTLE_SECONDS = 0.1
# What outlives every process and lies in no folder of ours.
_NAMED = "/dev/shm/"  # noqa: S108 - where Linux keeps it
_SEMAPHORE = "sem."

# Each leaf says over the pipe that it is ready. `{name!r}` is a name that nobody else has.
_SOW = f"""\
import ctypes, fcntl, os, select, signal, socket, sys, tempfile, threading
folder, name = tempfile.gettempdir(), {{name!r}}
libc = ctypes.CDLL(None, use_errno=True)
reader, writer = os.pipe()
planted = {{}}

def leaf(kind, run, before=lambda: None):
    pid = os.fork()
    if pid == 0:
        try:
            before()
            run(lambda pid=None: os.write(writer, ("%s %d\\n" % (kind, pid or os.getpid())).encode()))
        finally:
            os._exit(1)

def pause(ready):
    ready()
    while True:
        signal.pause()

def daemon(ready):
    os.setsid()
    if os.fork() == 0:
        os.setsid()
        ready()
        os.execve(sys.executable, [sys.executable, "-I", "-S", "-c", "import signal; signal.pause()"], {{}})
    os._exit(0)

def zombie(ready):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    ready(child)
    while True:
        signal.pause()

def headless(ready):
    # The first thread ends alone (exit(2), not exit_group), and another one runs on.
    begun = threading.Event()
    threading.Thread(target=lambda: (begun.set(), select.select([], [], []))).start()
    begun.wait()
    ready()
    libc.syscall({{"x86_64": 60, "aarch64": 93}}[os.uname().machine], 0)

refused = {{}}
def make(kind, how):
    try:
        planted[kind] = how()
    except OSError as error:
        # What the machine refuses can't be left there either; but nobody knows whether it would be found.
        refused[kind] = str(error)

def checked(name, result, failed):
    if result == failed:
        raise OSError(ctypes.get_errno(), name + ": " + os.strerror(ctypes.get_errno()))
    return result

def segment():
    # Removed at once, it goes when the last one detaches: its leaf, whoever ends that.
    libc.shmat.restype = ctypes.c_void_p
    number = checked("shmget", libc.shmget(0, 4096, 0o1600), -1)
    attached = libc.shmat(number, None, 0)
    libc.shmctl(number, 0, None)
    checked("shmat", attached, ctypes.c_void_p(-1).value)
    return "shmid %d" % number

# Before the leaves, which are attached to it with us.
make("system-v-segment", segment)

kinds = ["process", "daemon", "zombie", "device", "lock"]
leaf("process", pause)
leaf("daemon", daemon)
leaf("zombie", zombie)
leaf("device", pause, lambda: os.open({DEVICE!r}, os.O_RDONLY))
locked = open(os.path.join(folder, "lock"), "w")
fcntl.flock(locked, fcntl.LOCK_EX)
leaf("lock", pause)
if os.uname().machine in ("x86_64", "aarch64"):
    kinds.append("thread")
    leaf("thread", headless)

listening = socket.socket(socket.AF_UNIX)
listening.bind(os.path.join(folder, "socket"))
listening.listen(1)
planted["socket"] = listening.getsockname()
open(os.path.join(folder, "file"), "w").close()
planted["temporary-file"] = os.path.join(folder, "file")
def shared_memory():
    os.open({_NAMED!r} + name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    return {_NAMED!r} + name

def semaphore():
    libc.sem_open.restype = ctypes.c_void_p
    checked("sem_open", libc.sem_open(("/" + name).encode(), os.O_CREAT | os.O_EXCL, 0o600, 1), None)
    return {_NAMED + _SEMAPHORE!r} + name

make("shared-memory", shared_memory)
make("semaphore", semaphore)

with os.fdopen(reader) as said:
    while not all(kind in planted for kind in kinds):
        kind, pid = said.readline().split()
        planted[kind] = pid
planted["lock"] = locked.name
[planted, refused]
"""


CLAIMED = (
    Kind.PROCESS,
    Kind.ZOMBIE,
    Kind.THREAD,
    Kind.DEVICE,
    Kind.SHARED_MEMORY,
    Kind.SEMAPHORE,
    Kind.SEGMENT,
    Kind.SOCKET,
    Kind.LOCK,
    Kind.FILE,
)


@dataclasses.dataclass(frozen=True)
class Harvest:
    """What became of the planted leaks.

    `refused` are the kinds that the machine doesn't let anybody make, with its reason. `error` says why nothing
    could be planted; then nothing is trusted.
    """

    found: tuple[Kind, ...] = ()
    missed: tuple[Kind, ...] = ()
    refused: tuple[tuple[Kind, str], ...] = ()
    blind: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str = ""


def harvest(launcher: Launcher, spec: KernelSpec, eyes: Eyes = EYES) -> Harvest:
    """Plant one leak of each kind, kill the kernel, and see which of them the audit finds."""
    began = time.monotonic()
    watch = KernelWatch(launcher, dataclasses.replace(eyes, probes=[_for_plants(probe) for probe in eyes.probes]))
    # The gate knows it by its beginning.
    name = f"tfk-{secrets.token_hex(8)}"
    try:
        with _removed(launcher, [Path(f"{_NAMED}{prefix}{name}") for prefix in ("", _SEMAPHORE)]):
            kernel = watch.start(dataclasses.replace(spec, provisioner="subprocess", startup=""))
            try:
                planted, refused = value(kernel, _SOW.replace("{name!r}", repr(name)))
                kernel.inject("sigkill")
                audit = watch.audit(kernel.life, _SETTLE_SECONDS)
            finally:
                # None of it is to be given time to end by itself.
                kernel.life.end()
                kernel.shutdown()
    except (TFKernelError, CellFailedError) as error:
        return Harvest(missed=CLAIMED, seconds=time.monotonic() - began, error=str(error).splitlines()[0])
    missed = tuple(dict.fromkeys(_kind(name) for name, found in planted.items() if not _is_found(name, found, audit)))
    found = tuple(dict.fromkeys(kind for kind in map(_kind, planted) if kind not in missed))
    blind = tuple(map(str, audit.blind))
    unmade = tuple((Kind(name), why) for name, why in refused.items())
    return Harvest(found, missed, unmade, blind, time.monotonic() - began)


def _for_plants(probe: Probe) -> Probe:
    """A probe that sees what is planted, too: a device that is no GPU, a segment that goes by itself."""
    if isinstance(probe, Devices):
        return Devices(re.compile(DEVICE))
    return Segments(going=True) if isinstance(probe, Segments) else probe


@contextlib.contextmanager
def _removed(launcher: Launcher, files: Sequence[Path]) -> Iterator[None]:
    """Have files removed that don't exist yet: afterwards, or with the supervisor, should we not come to that."""
    try:
        for file in files:
            launcher.supervisor.hold(file)
        yield
    finally:
        for file in files:
            with contextlib.suppress(OSError):
                file.unlink()
            with contextlib.suppress(SupervisorGoneError):
                launcher.supervisor.release(file)


def _kind(name: str) -> Kind:
    return Kind.PROCESS if name == "daemon" else Kind(name)


def _is_found(name: str, planted: str, audit: Audit) -> bool:
    """Whether the audit names this leak: the process that was planted, or what has this name."""
    resources = [leak.resource for leak in audit.leaks if leak.resource.kind is _kind(name)]
    holders = [str(holder.process) for resource in resources for holder in resource.holders]
    return planted in [resource.name for resource in resources] or planted in holders
