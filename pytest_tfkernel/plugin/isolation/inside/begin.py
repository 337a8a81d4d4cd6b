"""Where a process of isolation begins: it imports the plugins of the session, and waits until one is to begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation.inside import session
from pytest_tfkernel.plugin.isolation.inside.server import Own

if TYPE_CHECKING:
    from pytest_tfkernel._child import frames


def main(port: frames.Port, told: Message) -> None:
    """Serve until the channel closes or a session has ended."""
    own = Own(port, told)
    for name in told["plugins"]:
        own.load(name)
    own.send({"kind": "ready"})
    request = own.next({})
    own.end(session.run(own, request))
