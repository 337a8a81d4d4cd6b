"""Devices and threads: chosen, changed too late, and chosen anew by the next process."""

from __future__ import annotations

import json
from typing import Any

from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Facts, Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Start, perform
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.stage import Stage

NAME = "configuration-is-per-process"

# What each of two processes chooses: so many logical CPUs, and threads within and between ops.
FIRST = {"logical": 2, "intra": 2, "inter": 3}
SECOND = {"logical": 3, "intra": 1, "inter": 2}
# What a process has that has chosen nothing: 0 threads means that TensorFlow decides.
DEFAULT = {"logical": None, "intra": 0, "inter": 0}
# The logical CPUs of two sessions of one process, each by its own ConfigProto.
SESSIONS = (2, 3)

# In 1.15 most of this has an older name, and is about eager execution, which must be asked for.
_BEGIN = """\
import tensorflow as tf
if not tf.executing_eagerly():
    tf.compat.v1.enable_eager_execution()

def _named(*names):
    places = (tf.config, tf.config.experimental)
    return next(getattr(place, name) for name in names for place in places if hasattr(place, name))

list_logical, set_visible = _named("list_logical_devices"), _named("set_visible_devices")
set_logical = _named("set_logical_device_configuration", "set_virtual_device_configuration")
get_logical = _named("get_logical_device_configuration", "get_virtual_device_configuration")
Logical = _named("LogicalDeviceConfiguration", "VirtualDeviceConfiguration")
cpu = _named("list_physical_devices")("CPU")[0]
threading = tf.config.threading

def choose(chosen):
    set_logical(cpu, [Logical()] * chosen["logical"])
    threading.set_intra_op_parallelism_threads(chosen["intra"])
    threading.set_inter_op_parallelism_threads(chosen["inter"])

def seen(logical):
    intra, inter = threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()
    return {"logical": logical, "intra": intra, "inter": inter}

def attempt(change):
    try:
        change()
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)[:300]}
    return {}
"""

_LOOK_BEFORE = "configured = get_logical(cpu)\nseen(None if configured is None else len(configured))"

# The list of logical devices initialises TensorFlow; the op does where that should ever change.
_INITIALISE = """\
assert float(tf.constant(2.0) + 1.0) == 3.0
seen(len(list_logical("CPU")))
"""

_CHANGE = """\
{
    "logical": attempt(lambda: set_logical(cpu, [Logical()] * 4)),
    "visible": attempt(lambda: set_visible([], "CPU")),
    "intra": attempt(lambda: threading.set_intra_op_parallelism_threads(4)),
    "inter": attempt(lambda: threading.set_inter_op_parallelism_threads(4)),
}
"""

IN_SESSIONS = """\
import tensorflow as tf
def _cpus(number):
    config = tf.compat.v1.ConfigProto(device_count={{"CPU": number}})
    with tf.Graph().as_default(), tf.compat.v1.Session(config=config) as session:
        two = tf.constant(2.0)
        assert session.run(two + 1.0, {{two: 2.0}}) == 3.0
        return sum(device.device_type == "CPU" for device in session.list_devices())
[_cpus(number) for number in {sessions}]
"""


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts:
    """`first` and `second`: what each process saw `before` it chose, `after`, and `late`, when changes were tried.

    `changes` are the outcomes of these: `{"error": type, "message": ...}`, or nothing if there was none.
    `sessions` are the numbers of CPUs of two sessions in a third process.
    """

    def script(start: Start, facts: dict[str, Any]) -> None:
        kernel = start()
        for name, chosen in (("first", FIRST), ("second", SECOND)):
            value(kernel, _BEGIN)
            facts[name] = seen = {"before": value(kernel, _LOOK_BEFORE)}
            value(kernel, f"choose({json.dumps(chosen)})")
            seen["after"] = value(kernel, _INITIALISE)
            seen["changes"] = value(kernel, _CHANGE)
            seen["late"] = value(kernel, _INITIALISE)
            # Without half a second of an orderly exit.
            kernel.shutdown(now=True)
            kernel.restart()
        facts["sessions"] = value(kernel, IN_SESSIONS.format(sessions=SESSIONS))

    return perform(setting, stage, spec, script)


CONFIGURATION = Scenario(
    NAME,
    "devices and threads of a process and of the next one",
    (Setting("forkserver", NAME, "none"),),
    play,
)
