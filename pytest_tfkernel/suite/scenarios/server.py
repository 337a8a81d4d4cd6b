"""A kernel that serves variables, and its clients, which die one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pytest_tfkernel.model.facts import UNSEEN, Facts
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.scenarios.base import Scenario
from pytest_tfkernel.suite.scenarios.cast import Starts, perform
from pytest_tfkernel.trials.cells import value
from pytest_tfkernel.trials.recorder import Recorder
from pytest_tfkernel.trials.stage import Stage

NAME = "server-state-outlives-client"

# The server binds port 0: a port that is free cannot be taken by anyone between the look and the use.
SERVE = """\
import tensorflow as tf
server = tf.distribute.Server.create_local_server()
server.target
"""

# Both kinds of variables: those of TensorFlow 1 are references, those of TensorFlow 2 resources.
CONNECT = """\
import tensorflow as tf
tf.compat.v1.disable_eager_execution()
shared = [
    tf.compat.v1.get_variable(name, initializer=1.0, use_resource=resource)
    for name, resource in (("reference", False), ("resource", True))
]
initializer = tf.compat.v1.global_variables_initializer()
set_two = [one.assign(2.0) for one in shared]
session = tf.compat.v1.Session({target!r})
def read():
    values = []
    for one in shared:
        try:
            values.append(float(session.run(one)))
        except tf.errors.FailedPreconditionError:
            values.append("FailedPreconditionError")
    return values
"""

_SET = "session.run(initializer)\nsession.run(set_two)\nread()"
_INITIALISE = "session.run(initializer)\nread()"

# A session waits for a server that doesn't answer for ever.
_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Clients:
    """What the clients read, each of both variables.

    `set`: the first one, which is killed (`client_ended`) then; `found`: the second, which initialises
    nothing. The server is replaced (`server_ended`), and a third reads `found_after_server`, and
    `initialised` after the initializer.
    """

    set: list[Any] = UNSEEN
    client_ended: str | None = UNSEEN
    found: list[Any] = UNSEEN
    server_ended: str | None = UNSEEN
    found_after_server: list[Any] = UNSEEN
    initialised: list[Any] = UNSEEN


def play(setting: Setting, stage: Stage, spec: KernelSpec) -> Facts[Clients]:
    """Kill a client and then the server, and let a new client read after each death."""
    notes = Recorder(Clients)

    def script(start: Starts) -> None:
        server = start()
        target = value(server, SERVE)
        client = start()
        value(client, CONNECT.format(target=target))
        notes.note(set=value(client, _SET, _SECONDS))
        died = client.inject("sigkill").post_mortem
        notes.note(client_ended=str(died.exit_status) if died is not None else None)
        client.restart()
        value(client, CONNECT.format(target=target))
        notes.note(found=value(client, "read()", _SECONDS))
        died = server.inject("sigkill").post_mortem
        notes.note(server_ended=str(died.exit_status) if died is not None else None)
        server.restart()
        target = value(server, SERVE)
        client.shutdown(now=True)
        client.restart()
        value(client, CONNECT.format(target=target))
        notes.note(found_after_server=value(client, "read()", _SECONDS))
        notes.note(initialised=value(client, _INITIALISE, _SECONDS))

    return perform(setting, stage, spec, notes, script)


SERVER_STATE = Scenario(
    NAME, "variables on a tf.distribute.Server, and clients that die", (Setting("forkserver", NAME, "sigkill"),), play
)
