"""Devices and threads: chosen, changed too late, and chosen anew by the next process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
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


@dataclass(frozen=True, kw_only=True)
class LateChange:
    """What came of a change that was tried too late: the type and the `message` of its `error`, if there was one."""

    error: str | None = None
    message: str = UNSEEN


@dataclass(frozen=True, kw_only=True)
class ConfiguredProcess:
    """What a process had `before` it chose, `after` that, and `late`, when `changes` had been tried."""

    before: dict[str, int | None] = UNSEEN
    after: dict[str, int | None] = UNSEEN
    changes: dict[str, LateChange] = UNSEEN
    late: dict[str, int | None] = UNSEEN


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Of two processes, and the numbers of CPUs of two `sessions` in a third one."""

    first: ConfiguredProcess = UNSEEN
    second: ConfiguredProcess = UNSEEN
    sessions: list[int] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Choices]:
    """Let each of two processes choose and change its mind too late; then open sessions in a third one."""
    notes = Recorder(Choices)

    def script(start: Starts) -> None:
        kernel = start()
        _choose(kernel, FIRST, lambda seen: notes.note(first=seen))
        _choose(kernel, SECOND, lambda seen: notes.note(second=seen))
        notes.note(sessions=value(kernel, IN_SESSIONS.format(sessions=SESSIONS)))

    return perform(setting, stage, spec, notes, script)


def _choose(kernel: Kernel, chosen: dict[str, int], tell: Callable[[ConfiguredProcess], None]) -> None:
    """All that is asked of one process, of which is told what was seen, and a new process after it."""
    process = Recorder(ConfiguredProcess)
    value(kernel, _BEGIN)
    process.note(before=value(kernel, _LOOK_BEFORE))
    try:
        value(kernel, f"choose({json.dumps(chosen)})")
        process.note(after=value(kernel, _INITIALISE))
        process.note(changes={what: LateChange(**outcome) for what, outcome in value(kernel, _CHANGE).items()})
        process.note(late=value(kernel, _INITIALISE))
    finally:
        tell(process.freeze())
    # Without half a second of an orderly exit.
    kernel.shutdown(now=True)
    kernel.restart()


CONFIGURATION = Scenario(
    NAME,
    "devices and threads of a process and of the next one",
    (Setting("forkserver", NAME, "none"),),
    play,
)
