"""Where a process of isolation begins: it imports the plugins of the session, and waits until one is to begin."""

from __future__ import annotations

import faulthandler
import os
import posix  # what tests put in the place of `os` is none of ours
from typing import TYPE_CHECKING

from pytest_tfkernel._child import process
from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation.inside import session
from pytest_tfkernel.plugin.isolation.inside.intact import AnyError, OrdinaryError
from pytest_tfkernel.plugin.isolation.inside.server import STACKS, Own

if TYPE_CHECKING:
    from pytest_tfkernel._child import frames

# That of a session of pytest in which it has failed itself.
_FAILED = 3


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
    try:
        own.end(session.run(own, request))
    except OrdinaryError as error:  # our own part has failed, too, on what a test has left
        words = "nobody can tell how"
        try:
            words = own.intact.told(error)
            own.send({"kind": "internal", "text": words})
        except AnyError:  # what tells pytest of anything is broken, too: these are its last words
            posix.write(2, f"pytest itself has failed there: {words}\n".encode("utf-8", "backslashreplace"))
        finally:
            # Whatever else there is to do would fail, too.
            posix._exit(_FAILED)  # noqa: SLF001 - see above
