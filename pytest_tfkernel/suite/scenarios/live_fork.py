"""Forks of kernels whose sessions live, new processes of theirs, and new kernels that start beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.suite.scenarios.eager import HAS_SESSIONS
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "live-fork-is-unusable"
# What works in a fork takes milliseconds.
DEADLINE = 2.5

# What begins anew imports TensorFlow first.
CHILD_DEADLINE = 60.0
# The library where multiprocess isn't installed.
STANDARD = "multiprocessing"

# `probe` starts a child with multiprocess, as people do, or with what the standard library has of it; `outcome` waits
# until `seconds` after that. A fork that hangs is left as it is: that it can be found and ended from outside is part
# of what is shown. What is spawned begins anew, and so gets source text.
_PROBES = f"""\
import time, warnings
import tensorflow as tf
try:
    import multiprocess as library
    library_name = "multiprocess " + library.__version__
except ImportError:
    import multiprocessing as library
    library_name = {STANDARD!r}
_probes = {{}}
def _told(run):
    try:
        return ("works: %r" % (run(),)).encode()
    except BaseException as error:
        return ("error: %s" % type(error).__name__).encode()
def probe(name, run, method="fork"):
    context = library.get_context(method)
    reader, writer = context.Pipe(False)
    if method == "fork":
        child = context.Process(target=lambda: writer.send_bytes(_told(run)))
    else:
        child = context.Process(target=exec, args=(run, {{"writer": writer}}))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child.start()
    except (EOFError, OSError) as error:
        _probes[name] = "error: %s" % type(error).__name__
        return
    writer.close()
    _probes[name] = child, reader, time.monotonic()
def outcome(name, seconds):
    if isinstance(_probes[name], str):
        return {{"pid": None, "outcome": _probes[name]}}
    child, reader, began = _probes[name]
    if not reader.poll(max(0.0, began + seconds - time.monotonic())):
        return {{"pid": child.pid, "outcome": "hangs"}}
    try:
        said = reader.recv_bytes().decode()
    except EOFError:
        said = ""
    child.join(seconds)
    return {{"pid": child.pid, "outcome": said or "aborts: exitcode %s" % child.exitcode}}
"""

# What is fed is added by the session, on a GPU where there is one; constants are added on the CPU before.
_SESSION = """\
tf.compat.v1.disable_eager_execution()
two = tf.constant(2.0)
total = tf.add(two, 3.0)
session = tf.compat.v1.Session()
result = float(session.run(total, {two: 2.0}))
def in_new_session():
    with tf.Graph().as_default(), tf.compat.v1.Session() as new:
        two = tf.constant(2.0)
        return float(new.run(tf.add(two, 3.0), {two: 2.0}))
"""

NEW_PROCESS = """\
try:
    import tensorflow as tf
    with tf.Graph().as_default(), tf.compat.v1.Session() as new:
        two = tf.constant(2.0)
        said = "works: %r" % float(new.run(tf.add(two, 3.0), {two: 2.0}))
except BaseException as error:
    said = "error: %s" % type(error).__name__
writer.send_bytes(said.encode())
"""
# Start methods that begin anew.
CHILDREN = ("spawn", "forkserver")
# New kernels. A cold start takes about as long as the deadline of the forks.
BESIDE = ("subprocess", "forkserver")

_OPEN = f"""{_PROBES}{_SESSION}
for _method in {CHILDREN}:
    probe(_method, {NEW_PROCESS!r}, _method)
probe("python", lambda: 1 + 1)
probe("open_session", lambda: float(session.run(total, {{two: 2.0}})))
probe("new_session", in_new_session)
result
"""

_CLOSED = f"""{_PROBES}{_SESSION}
session.close()
probe("after_closed_session", in_new_session)
result
"""

# A large product needs the thread pool. A small sum runs in the caller's thread.
_EAGER = f"""{_PROBES}
tf.compat.v1.enable_eager_execution()
ones = tf.ones([1000, 1000])
def large():
    return float(tf.reduce_sum(tf.matmul(ones, ones)))
large()
probe("eager", large)
probe("eager_small", lambda: float(tf.constant(2.0) + 3.0))
2.0 + 3.0
"""

# What is forked in which kernel.
_FORKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_OPEN, ("python", "open_session", "new_session")),
    (_CLOSED, ("after_closed_session",)),
    (_EAGER, ("eager", "eager_small")),
)
OWN_KERNEL = f"import tensorflow as tf\n{_SESSION}result"


@dataclass(frozen=True)
class Fork:
    """What it came to (hangs, aborts, works or error), and whether it was `named` among the kernel's processes."""

    outcome: str
    named: bool


@dataclass(frozen=True, kw_only=True)
class Forks:
    """The `forks`, what the kernels gave before (`live`), and new ones meanwhile, by their provisioner (`beside`).

    `library` made them, and `children`: the outcomes of processes that the kernel started by other methods, which
    begin anew. `has_sessions`: the API is that of TensorFlow 1. `left` are the processes that existed when the forks
    had been ended. `gpus` are the names of those that the kernels may use.
    """

    forks: dict[str, Fork] = UNSEEN
    live: list[Any] = UNSEEN
    beside: dict[str, Any] = UNSEEN
    left: list[str] = UNSEEN
    children: dict[str, str] = UNSEEN
    library: str = UNSEEN
    has_sessions: bool = UNSEEN
    gpus: tuple[str, ...] = ()


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Forks]:
    """Fork kernels whose sessions live, start others beside them, and end the forks."""
    notes = Recorder(Forks)

    def script(start: Starts) -> None:
        forks: dict[str, Fork] = {}
        live: list[Any] = []
        beside: dict[str, Any] = {}
        left: list[str] = []
        children: dict[str, str] = {}
        notes.note(forks=forks, live=live, beside=beside, left=left, children=children, gpus=stage.gpus.names)
        forked: list[tuple[Kernel, tuple[str, ...]]] = []
        for cell, names in _FORKS:
            kernel = start()
            live.append(value(kernel, cell))
            forked.append((kernel, names))
        for provisioner in BESIDE:
            beside[provisioner] = value(start(provisioner=provisioner), OWN_KERNEL)
        first = forked[0][0]
        notes.note(library=value(first, "library_name"), has_sessions=value(first, HAS_SESSIONS))
        for method in CHILDREN:
            cell = f"outcome({method!r}, {CHILD_DEADLINE})"
            children[method] = value(first, cell, CHILD_DEADLINE + DEADLINE)["outcome"]
        for kernel, names in forked:
            seen = {name: value(kernel, f"outcome({name!r}, {DEADLINE})") for name in names}
            carriers = {one.process.pid for one in kernel.life.leftovers(0.0)}
            forks |= {name: Fork(fork["outcome"], fork["pid"] in carriers) for name, fork in seen.items()}
            kernel.shutdown(now=True)
            left += [str(one) for one in kernel.life.leftovers(0.0)]

    return perform(setting, stage, spec, notes, script)


LIVE_FORK = Scenario(
    NAME, "forks of kernels with live sessions, and kernels beside them", (Setting("forkserver", NAME, "none"),), play
)
