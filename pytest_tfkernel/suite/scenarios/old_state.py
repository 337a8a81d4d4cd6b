"""What names the state of a process, carried out of it before it is killed, and shown to the next one."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.model.errors import KernelDied, KernelHung
from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials import examples
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "old-state-is-refused"

# TensorFlow's own deadline for a session on a server, which otherwise waits for it for ever: long for the
# living one, so that a busy machine is no refusal, and short for the dead one.
_LIVING, _DEAD = 10000, 300
# Ours for each attempt: what takes longer hangs.
_SECONDS = 15.0


@dataclass(frozen=True)
class Name:
    """One kind of state: the cell whose value names it, a cell that uses that name, and what it must give.

    `again` makes a namesake in the next process, of another value; nothing where a name is known by its
    own value. `use` has `{name}` where the literal goes, and `{milliseconds}` where TensorFlow's own deadline does.
    """

    kind: str
    make: str
    use: str
    result: Any
    again: str = ""


_ITERATOR = """\
iterator = tf.compat.v1.data.make_initializable_iterator(tf.data.Dataset.range({first}, 99))
session.run(iterator.initializer)
session.run(iterator.string_handle())
"""

_SAID = re.compile(r"\S|  \(\d+\) ")

# All run after the example, in its session and graph, and each in names of its own.
NAMES: tuple[Name, ...] = (
    Name(
        "session-handle",
        "session.run(tf.compat.v1.get_session_handle(my_variable + 0.0)).handle",
        """\
holder, held = tf.compat.v1.get_session_tensor({name}, tf.float32)
session.run(held, {{holder: {name}}})
""",
        2.0,
        "namesake = session.run(tf.compat.v1.get_session_handle(tf.constant(9.0)))",
    ),
    Name(
        "iterator-handle",
        _ITERATOR.format(first=7),
        """\
handle = tf.compat.v1.placeholder(tf.string, [])
step = tf.compat.v1.data.Iterator.from_string_handle(handle, tf.int64, tf.TensorShape([])).get_next()
session.run(step, {{handle: {name}}})
""",
        7,
        _ITERATOR.format(first=70),
    ),
    Name(
        "session-target",
        "server = tf.distribute.Server.create_local_server()\nserver.target",
        """\
config = tf.compat.v1.ConfigProto(operation_timeout_in_ms={milliseconds})
with tf.Graph().as_default():
    five = tf.constant(5.0)
    with tf.compat.v1.Session({name}, config=config) as remote:
        given = float(remote.run(five))
given
""",
        5.0,
    ),
    Name("tensor-name", "(my_variable + 0.0).name", "session.run({name})", 2.0),
)


@dataclass(frozen=True, kw_only=True)
class Use:
    """What the use of a name gave: a `value`; or an `error` of this type, and its `message`.

    It may have `hung` for so many seconds, and the kernel may have `died` of it.
    """

    value: Any = UNSEEN
    error: str | None = None
    message: str = UNSEEN
    hung: float | None = None
    died: str | None = None


@dataclass(frozen=True, kw_only=True)
class OldNames:
    """For each kind of name its use `before` and `after` the death, and after that beside a `namesake`."""

    before: dict[str, Use] = UNSEEN
    after: dict[str, Use] = UNSEEN
    namesake: dict[str, Use] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[OldNames]:
    """Use each name in its own process, and after the death of that in the next one, also beside a namesake."""
    notes = Recorder(OldNames)

    def script(start: Starts) -> None:
        kernel = start()
        example = examples.find("variable_assign")
        value(kernel, examples.LOOK)
        value(kernel, example.run)
        names = {one.kind: repr(value(kernel, one.make)) for one in NAMES}
        notes.note(before={one.kind: _attempt(kernel, one, names[one.kind], _LIVING) for one in NAMES})
        kernel.inject(setting.fault)
        after: dict[str, Use] = {}
        namesake: dict[str, Use] = {}
        notes.note(after=after, namesake=namesake)
        for one in NAMES:
            _revive(kernel)
            after[one.kind] = _attempt(kernel, one, names[one.kind], _DEAD)
            if one.again:
                _revive(kernel)
                value(kernel, one.again)
                namesake[one.kind] = _attempt(kernel, one, names[one.kind], _DEAD)

    return perform(setting, stage, dataclasses.replace(spec, timeout=_SECONDS), notes, script)


def _revive(kernel: Kernel) -> None:
    """The next process with an open session, once for all attempts as long as none of them kills it."""
    if not kernel.is_alive:
        kernel.restart()
        value(kernel, examples.LOOK)
        value(kernel, "session = tf.compat.v1.Session()")


def _attempt(kernel: Kernel, one: Name, name: str, milliseconds: int) -> Use:
    try:
        reply = kernel.execute(one.use.format(name=name, milliseconds=milliseconds))
    except KernelHung:
        return Use(hung=_SECONDS)
    except KernelDied as died:
        return Use(died=died.post_mortem.headline())
    if reply.error is not None:
        # Without the stack that TensorFlow puts into its messages; of an error with several roots, as on a GPU, these.
        lines = [line for line in reply.error.message.splitlines() if _SAID.match(line)]
        return Use(error=reply.error.type.rpartition(".")[2], message="\n".join(lines))
    return Use(value=reply.value)


OLD_STATE = Scenario(
    NAME,
    "handles, targets and names of a dead process",
    (Setting("forkserver", NAME, "sigkill"),),
    play,
)
