"""Where the processes of tests come from: from one that has collected, where that is safe to fork.

If it isn't, they come from one that has begun less:

    blank        an interpreter with pytest and the session's plugins imported
    configured   a fork of that with a session of its own, conftest.py files read, TensorFlow imported if tests name it
    collected    a fork of that in which all tests are collected
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pytest_tfkernel.kernels.provisioners.forkserver import IMPORT_TIME
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError, Forker, ParentDiedError
from pytest_tfkernel.plugin.isolation.gathering import Gathering
from pytest_tfkernel.plugin.isolation.peers import DiedError, Peer, ProcessDeath
from pytest_tfkernel.plugin.isolation.plans import SessionPlan
from pytest_tfkernel.plugin.isolation.preloading import Preloader
from pytest_tfkernel.plugin.isolation.sifting import COLLECTED, Gathered, Sifter, Unsafe
from pytest_tfkernel.plugin.isolation.wishes import IsolationWishes
from pytest_tfkernel.processes.wire import Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

FORKED = "forked"
_NOTHING = IsolationWishes()
_TRIES = 3
# Runs in the process of a test; `given` says of each type how many there are to be.
DEVICES = """
import tensorflow as tf
for kind, count in given.items():
    physical = tf.config.list_physical_devices(kind)
    if not physical:
        raise RuntimeError(f"there is no {kind} here")
    configurations = [tf.config.LogicalDeviceConfiguration() for _ in range(count)]
    tf.config.set_logical_device_configuration(physical[0], configurations)
"""


@dataclass
class Collection:
    """What was collected: the messages that tell of it, one after the other, and the tests."""

    told: list[Message] = field(default_factory=list)
    tests: list[Message] = field(default_factory=list)
    deaths: list[tuple[str, ProcessDeath]] = field(default_factory=list)


class Nursery:
    """The processes of one session from which those of its tests are forked. They end with `close`."""

    def __init__(self, forks: Forker, session: SessionPlan) -> None:
        self._forks = forks
        self._session = session
        self._preloader = Preloader(forks)
        self._blank: Peer | None = None
        self._forks_blank = True
        self._configured: Peer | None = None
        self._collected: Peer | None = None
        self._preloads = True
        # Why processes aren't forked from the one that has collected, or from the one that is configured; why those of
        # some files aren't, and who finds out of which.
        self._unsafe_collected: str | None = "nothing was collected before"
        self._unsafe_configured: str | None = None
        self._unsafe = Unsafe()
        # What the gate has seen where tests were collected, of processes from which others are forked.
        self.left: list[Message] = []
        self._sifter: Sifter | None = None

    def collect(self) -> Collection:
        """Have all tests collected. Raises CannotBeginError."""
        found, without = Collection(), list[str]()
        while True:
            peer, heard = self._about_to_collect(phases=True), Gathering()
            peer.send({"kind": "collect", "only": None, "without": without})
            try:
                _listen(peer, heard)
            except DiedError as error:
                peer.bury()
                if heard.place is None or heard.place["path"] in without:
                    raise
                without.append(heard.place["path"])
                found.deaths.append((heard.place["nodeid"], error.death))
                continue
            last = heard.told[-1]
            if last.get("changed") and self._preloads:
                # TensorFlow would have seen another environment, had a test file imported it: so let one do that.
                self._preloads = False
                peer.bury()
                self._drop_configured()
                continue
            found.told, found.tests = heard.told, last.get("items", [])
            self._keep(peer, last)
            self._may_sift(heard, found.tests, without)
            return found

    def process(self, path: str, wishes: IsolationWishes) -> tuple[Peer, str]:
        """A process that can run the tests of a file, and how it was made. Raises CannotBeginError, DiedError."""
        for _ in range(_TRIES):
            self._forget_dead()
            # Somebody may end one of them just now: then the next one is of another.
            with contextlib.suppress(ParentDiedError):
                return self._process(path, wishes)
        return self._process(path, wishes)

    def _process(self, path: str, wishes: IsolationWishes) -> tuple[Peer, str]:
        early = self._why_early(wishes)
        unsafe = self._why_not_collected(path) if early is None else None
        if self._collected is not None and early is None and unsafe is None:
            parent, unsafe = self._preloader.of(self._collected, wishes.preload)
            peer = self._forks.fork(parent, wishes, phases=True)
            with _buried_on_error(peer):
                self._prepare(peer, wishes)
            return peer, FORKED if unsafe is None else f"cold: preload={wishes.preload!r}: {unsafe}"
        peer = self._about_to_collect(wishes, phases=True) if early is None else self._configure(wishes, phases=True)[0]
        with _buried_on_error(peer):
            self._prepare(peer, wishes)
            peer.send({"kind": "collect", "only": path, "without": []})
            for told in peer.told(COLLECTED):
                if told["kind"] == "usage":
                    raise CannotBeginError("; ".join(told["lines"]))
                if told["kind"] in ("exit", "interrupted"):
                    why = told.get("reason") or told.get("words") or "KeyboardInterrupt"
                    raise CannotBeginError(f"its session was ended where its file is collected: {why}")
        return peer, f"cold: {early or unsafe}"

    def forks_soon(self, path: str, wishes: IsolationWishes) -> bool:
        """Whether `process` only forks for these, which may be done beside a test."""
        if self._collected is None or not self._collected.life.is_alive or self._why_early(wishes) is not None:
            return False
        if self._unsafe.why(path) is not None:
            return False
        return self._preloader.is_ready(self._collected, wishes.preload) and not wishes.logical_devices

    def _why_early(self, wishes: IsolationWishes) -> str | None:
        """Why a process has to begin its session itself, if it has to."""
        if wishes.cold:
            return "cold=True"
        names = [name for name, _ in wishes.env if name.startswith(IMPORT_TIME)]
        return f"{', '.join(names)} may be read while TensorFlow is imported" if names else None

    def _why_not_collected(self, path: str) -> str | None:
        """Why the process of a file isn't forked from one that has collected, if it isn't."""
        why = self._unsafe.why(path)
        if why is not None:
            return why
        sifter, self._sifter = self._sifter, None
        if sifter is not None:
            self._collected = sifter.sift()
            if self._collected is not None:
                self._unsafe_collected = None
                self._note(sifter.left)
                return self._unsafe.why(path)
        if self._collected is None:
            return self._unsafe.why(path) or self._unsafe_collected or "the process that had collected is gone"
        return None

    def _may_sift(self, heard: Gathering, tests: list[Message], without: list[str]) -> None:
        """Have the files that make forks unsafe told from the others, when a process is needed for one of these."""
        unsafe = heard.unsafe
        if self._collected is not None or unsafe is None or self._unsafe_configured is not None:
            return
        if self._session.sifts:
            self._unsafe.add(unsafe["path"], unsafe["reason"])
            gathered = Gathered(tests, len(heard.files), heard.harmless - {unsafe["path"]}, without)
            begin = functools.partial(self._about_to_collect, phases=True)
            self._sifter = Sifter(self._forks, begin, gathered, self._unsafe)

    @property
    def is_gone(self) -> bool:
        """Whether all processes from here are dead or about to be, since their supervisor is."""
        return self._forks.launcher.supervisor.is_gone

    def _forget_dead(self) -> None:
        for name in ("_collected", "_configured", "_blank"):
            peer = getattr(self, name)
            if peer is not None and not peer.life.is_alive:
                peer.bury()
                setattr(self, name, None)

    def close(self) -> None:
        """End them."""
        self._preloader.close()
        for peer in (self._collected, self._configured, self._blank):
            if peer is not None:
                peer.bury()
        self._collected = self._configured = self._blank = None

    def begin_anew(self, forks: Forker) -> None:
        """Go on with another supervisor: with the old one all processes are gone."""
        self.close()
        self._forks, self._preloader = forks, Preloader(forks)
        self._sifter = self._unsafe_collected = None

    def _keep(self, peer: Peer, last: Message) -> None:
        """Fork the processes of tests from one that has collected, if that is safe."""
        self._unsafe_collected = last.get("unsafe")
        if last["kind"] == "collected" and self._unsafe_collected is None:
            self._collected = peer
            self._note(last["left"])
        else:
            peer.bury()

    def _note(self, left: Message | None) -> None:
        if left is not None:
            self.left.append(left)

    def _drop_configured(self) -> None:
        if self._configured is not None:
            self._configured.bury()
        self._configured = None

    def _about_to_collect(self, wishes: IsolationWishes = _NOTHING, *, phases: bool = False) -> Peer:
        """One that is configured, and has collected nothing."""
        if self._configured is None or not self._configured.life.is_alive:
            self._configured, self._unsafe_configured = self._configure()
            modules = list(self._session.preload()) if self._preloads and self._unsafe_configured is None else []
            if modules:
                self._unsafe_configured = self._configured.ask({"kind": "preload", "modules": modules})["unsafe"]
        if self._unsafe_configured is None:
            parent, _ = self._preloader.of(self._configured, wishes.preload)
            return self._forks.fork(parent, wishes, phases=phases)
        return self._configure(wishes, phases=phases)[0]

    def _configure(self, wishes: IsolationWishes = _NOTHING, *, phases: bool = False) -> tuple[Peer, str | None]:
        """One in which a session has begun, and why it must not be forked."""
        peer = self._begin(wishes, phases=phases)
        with _buried_on_error(peer):
            peer.send({**self._session.for_child(), "forks": not phases})
            *_, told = peer.told(("configured", "finished"))
            if told["kind"] == "finished":
                death = peer.farewell()
                words = death.internal or death.post_mortem.stderr.strip() or death.post_mortem.stdout.strip()
                raise CannotBeginError(f"a session of pytest can't begin in another process: {words}")
        return peer, told["unsafe"]

    def _begin(self, wishes: IsolationWishes, *, phases: bool) -> Peer:
        """One in which no session has begun. Each has an interpreter of its own where even a blank one isn't forked."""
        if self._forks_blank and (self._blank is None or not self._blank.life.is_alive):
            self._blank, unsafe = self._forks.start(self._session.plugins)
            if unsafe is not None:
                self._forks_blank = False
                self._blank.bury()
                self._blank = None
        if self._blank is None:
            return self._forks.begin(self._session.plugins, wishes, phases=phases)
        return self._forks.fork(self._blank, wishes, phases=phases)

    def _prepare(self, peer: Peer, wishes: IsolationWishes) -> None:
        """Before TensorFlow is initialised there. Raises CannotBeginError."""
        if wishes.preload and not wishes.cold:
            error = peer.ask({"kind": "preload", "modules": list(wishes.preload)})["error"]
            if error is not None:
                raise CannotBeginError(f"preload={wishes.preload}: {error}")
        if wishes.logical_devices:
            told = peer.ask({"kind": "prepare", "code": DEVICES, "given": dict(wishes.logical_devices)})
            if told["error"] is not None:
                raise CannotBeginError(f"logical_devices={dict(wishes.logical_devices)}: {told['error']}")


def _listen(peer: Peer, heard: Gathering) -> None:
    """Until all is collected, or Ctrl-C has interrupted it. Raises DiedError."""
    try:
        for told in peer.told(COLLECTED):
            heard.hear(told)
    except KeyboardInterrupt:
        before = len(heard.told)
        interrupted = peer.interrupt(heard.hear)
        if interrupted is not None:
            heard.hear(interrupted)
        elif not _is_error_of_a_file(heard.told[before:]):
            peer.bury()
            raise


def _is_error_of_a_file(told: Sequence[Message]) -> bool:
    """Whether an interrupt has become one, as it does with older versions of pytest, and all the rest is collected."""
    failed = [one["kind"] == "collectreport" and one["data"].get("outcome") == "failed" for one in told]
    return any(failed) and told[-1]["kind"] in COLLECTED


@contextlib.contextmanager
def _buried_on_error(peer: Peer) -> Iterator[None]:
    try:
        yield
    except BaseException:
        peer.bury()
        raise
