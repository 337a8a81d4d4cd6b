"""What a test wishes to find imported is imported in a fork of its own: tests without that wish don't see it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError, Forker
from pytest_tfkernel.plugin.isolation.peers import Peer

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True


@dataclass(frozen=True)
class PreloadedFork:
    """One that has imported the modules; `unsafe` is why it must not be forked, if it mustn't."""

    peer: Peer
    unsafe: str | None


class Preloader:
    """The processes of a session that have imported more than those they are forks of. They end with `close`."""

    def __init__(self, forks: Forker) -> None:
        self._forks = forks
        self._made: dict[tuple[ProcessId, tuple[str, ...]], PreloadedFork] = {}

    def is_ready(self, parent: Peer, modules: tuple[str, ...]) -> bool:
        """Whether `of` has nothing to import."""
        made = self._made.get((parent.life.process, modules))
        return not modules or (made is not None and (made.peer.life.is_alive or made.unsafe is not None))

    def of(self, parent: Peer, modules: tuple[str, ...]) -> tuple[Peer, str | None]:
        """A process like the parent with these imported; else the parent, and why not.

        Raises CannotBeginError for a module that can't be imported, and DiedError.
        """
        if not modules:
            return parent, None
        if not self.is_ready(parent, modules):
            self._made[parent.life.process, modules] = self._make(parent, modules)
        made = self._made[parent.life.process, modules]
        return (made.peer, None) if made.unsafe is None else (parent, made.unsafe)

    def close(self) -> None:
        """End them."""
        for made in self._made.values():
            made.peer.bury()
        self._made.clear()

    def _make(self, parent: Peer, modules: tuple[str, ...]) -> PreloadedFork:
        peer = self._forks.fork(parent)
        try:
            told = peer.ask({"kind": "preload", "modules": list(modules)})
        except BaseException:
            peer.bury()
            raise
        if told["error"] is not None:
            peer.bury()
            raise CannotBeginError(f"preload={modules!r}: {told['error']}")
        if told["unsafe"] is not None:
            peer.bury()
        return PreloadedFork(peer, told["unsafe"])
