"""Forks of kernels whose sessions live, and new kernels that start beside them."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.cells import value
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.suite.stage import Stage

NAME = "live-fork-is-unusable"
# What works in a fork takes milliseconds.
DEADLINE = 2.5

# `probe` forks; `outcome` waits until `seconds` after that. A fork that hangs is left as it is: that it
# can be found and ended from outside is part of what is shown.
_PROBES = """\
import os, select, time
import tensorflow as tf
_probes = {}
def probe(name, run):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = "works: %r" % (run(),)
        except BaseException as error:
            said = "error: %s" % type(error).__name__
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    _probes[name] = child, reader, time.monotonic()
def outcome(name, seconds):
    child, reader, began = _probes[name]
    remaining = max(0.0, began + seconds - time.monotonic())
    if not select.select([reader], [], [], remaining)[0]:
        return {"pid": child, "outcome": "hangs"}
    said = os.read(reader, 1000).decode()
    status = os.waitpid(child, 0)[1]
    return {"pid": child, "outcome": said or "aborts: wait status %d" % status}
"""

_SESSION = """\
tf.compat.v1.disable_eager_execution()
total = tf.add(tf.constant(2.0), tf.constant(3.0))
session = tf.compat.v1.Session()
result = float(session.run(total))
def in_new_session():
    with tf.Graph().as_default(), tf.compat.v1.Session() as new:
        return float(new.run(tf.add(tf.constant(2.0), tf.constant(3.0))))
"""

_OPEN = f"""{_PROBES}{_SESSION}
probe("python", lambda: 1 + 1)
probe("open_session", lambda: float(session.run(total)))
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
_OWN_KERNEL = f"import tensorflow as tf\n{_SESSION}result"


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`forks`: for each, its `outcome` (hangs, aborts, works or error), and whether it was `named`.

    `live` is what the kernels gave before the forks, `beside` what new ones gave meanwhile, by their
    provisioner. `left` are the processes that existed when the forks had been ended.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        facts["forks"], facts["live"], facts["beside"], facts["left"] = {}, [], {}, []
        forked: list[tuple[Kernel, tuple[str, ...]]] = []
        for cell, names in _FORKS:
            kernel = start()
            facts["live"].append(value(kernel, cell))
            forked.append((kernel, names))
        # A cold start takes about as long as the deadline of the forks.
        for provisioner in ("subprocess", "forkserver"):
            facts["beside"][provisioner] = value(start(provisioner=provisioner), _OWN_KERNEL)
        for kernel, names in forked:
            seen = {name: value(kernel, f"outcome({name!r}, {DEADLINE})") for name in names}
            carriers = {one.process.pid for one in kernel.life.leftovers(0.0)}
            facts["forks"] |= {
                name: {"outcome": fork["outcome"], "named": fork["pid"] in carriers} for name, fork in seen.items()
            }
            kernel.shutdown(now=True)
            facts["left"] += [str(one) for one in kernel.life.leftovers(0.0)]

    return perform(setting, stage, spec, script)


LIVE_FORK = Scenario(
    NAME, "forks of kernels with live sessions, and kernels beside them", (Setting("forkserver", NAME, "none"),), play
)
