"""Where a process of isolation begins: it imports the plugins of the session, and waits until one is to begin."""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

from pytest_tfkernel._child import process
from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation.inside import session
from pytest_tfkernel.plugin.isolation.inside.server import STACKS, Own

if TYPE_CHECKING:
    from pytest_tfkernel._child import frames


def main(port: frames.Port, told: Message) -> None:
    """Serve until the channel closes or a session has ended."""
    own = Own(port, told)
    for name in told["plugins"]:
        own.load(name)
    # A test may run right here, where nothing may be forked.
    faulthandler.register(process.DUMP_SIGNAL, STACKS, all_threads=True)
    for number in told["phases"].values():
        os.set_inheritable(number, False)  # noqa: FBT003 - it takes no names
    own.keep_phases(told["phases"])
    own.send({"kind": "ready", "unsafe": own.unsafe()})
    request = own.next({})
    own.end(session.run(own, request))
