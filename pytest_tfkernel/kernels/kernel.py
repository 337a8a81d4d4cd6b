"""Kernels as their users see them."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any

from pytest_tfkernel.kernels import phases, striking
from pytest_tfkernel.kernels.cells import calls, exchange
from pytest_tfkernel.kernels.generations.base import Generations
from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.past import Past
from pytest_tfkernel.kernels.striking import Injury
from pytest_tfkernel.model.errors import CallError, KernelIsDead, KernelStartError, SupervisorGoneError
from pytest_tfkernel.model.kernels import KernelSpec, NotCarried, Outcome, Reply
from pytest_tfkernel.model.processes import Leftover, PostMortem
from pytest_tfkernel.processes import room
from pytest_tfkernel.processes.cgroups import Cgroup
from pytest_tfkernel.processes.waits import Event, monotonic
from pytest_tfkernel.processes.wire import ChannelTornError

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True
# What has just been struck may take a moment to die.
_DYING_SECONDS = 1.0


class Kernel:
    """A living Python process that executes cells, and its successors after each restart.

    Made by `Launcher.start` or by the fixtures `tfkernel` and `tfkernel_factory`. The variables of cells stay between
    cells and are gone after a restart. Calls from several threads are served one after the other.
    """

    def __init__(
        self,
        spec: KernelSpec,
        generations: Generations,
        new_cgroup: Callable[[tuple[str, ...]], Cgroup],
        find_fault: Callable[[Any], Injury],
    ) -> None:
        self.spec = spec
        self._find_fault = find_fault
        self.new_cgroup = new_cgroup
        self._generations = generations
        self._lock = threading.RLock()
        self._version: tuple[int, ...] = ()
        self.past = Past()
        self._ended = False
        # Called after each cell and before each fault, with that life and the cell.
        self.witness: Callable[[Life, str], None] | None = None
        self._life = self._start(1)

    @property
    def pid(self) -> int:
        """The process id of the current generation, dead or alive."""
        return self._life.process.pid

    @property
    def generation(self) -> int:
        """1 for the first process, one more after each restart."""
        return self._life.generation

    @property
    def is_alive(self) -> bool:
        """Whether the process of the current generation runs."""
        return self._life.is_alive

    @property
    def is_shut_down(self) -> bool:
        """Whether `shutdown` has ended the current generation."""
        return self._ended

    @property
    def post_mortems(self) -> tuple[PostMortem, ...]:
        """Those of the last 100 deaths, the latest at the end."""
        # Whoever has the lock in another thread notices a death as well.
        if self._lock.acquire(blocking=False):
            try:
                with contextlib.suppress(SupervisorGoneError):
                    self._notice_death()
            finally:
                self._lock.release()
        return self.past.deaths

    @property
    def left_behind(self) -> tuple[Leftover, ...]:
        """What outlived dead generations and has been ended since."""
        return tuple(self.past.left_behind)

    def leftovers(self) -> list[Leftover]:
        """What the dead process has left running now, after up to 1 s in which it may still end."""
        with self._lock:
            return self._life.leftovers()

    @property
    def life(self) -> Life:
        """The current generation, for faults and trials."""
        return self._life

    def execute(
        self, cell: str, *, timeout: float | None = None, interactive: bool = True, check: bool = False
    ) -> Reply:
        """Run source text, and return its reply.

        An exception in an interactive cell is in the reply, and raised with `check`; otherwise it ends the process, as
        it ends a script. `timeout` is in seconds, by default that of the spec.

        Raises KernelDied when the process ends before it replies, KernelHung (a KernelDied) when it takes longer than
        `timeout`, KernelIsDead when it had died before, CellRaisedError with `check`; SpecError for a cell that isn't
        interactive in a Jupyter or Spyder kernel: an error never ends those.
        """
        with self._lock:
            life = self._living()
            seconds = exchange.seconds_for(self.spec, timeout)
            request = exchange.request_for(cell, self.spec, interactive=interactive)
            life.last_cell = cell
            reply = exchange.ask(life, request, seconds)
            self.past.replied(life.generation, cell, reply)
            self._show(life)
            return reply.check() if check else reply

    def execute_marked(self, cell: str, on_mark: exchange.OnMark, *, timeout: float | None = None) -> Reply:
        """Run a cell that calls `_tfkernel_mark(name)` at moments of its own; `on_mark(name)` is called then."""
        with self._lock:
            life = self._living()
            seconds = exchange.seconds_for(self.spec, timeout)
            life.last_cell = cell
            return exchange.ask(life, exchange.request_for(cell, self.spec) | {"marks": True}, seconds, on_mark)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function in the kernel, and return its result.

        Closures, lambdas and functions of test modules work. Both Pythons must be of the same minor version.

        Raises CallError when it can't be sent or raises there, and as `execute` does.
        """
        with self._lock:
            life = self._living()
            if self._version[:2] != sys.version_info[:2]:
                here, there = (".".join(map(str, one[:2])) for one in (sys.version_info, self._version))
                raise CallError(
                    f"a function can't be sent from Python {here} to Python {there}, whose bytecode differs:"
                    " send source text with execute() instead"
                )
            life.last_cell = f"call of {calls.name_of(function)}"
            request = calls.pack(function, args, kwargs)
            reply = exchange.ask(life, request, self.spec.timeout)
            self.past.replied(life.generation, life.last_cell, reply)
            if reply.error is not None:
                raise CallError(f"{calls.name_of(function)} raised {reply.error}\n{reply.error.traceback}", reply.error)
            if isinstance(reply.value, NotCarried):
                raise CallError(f"the result of {calls.name_of(function)} did not come: {reply.value.reason}")
            return reply.value

    def inject(self, fault: str | Injury, *, phase: str = "idle", timeout: float | None = None) -> Outcome:
        """Inject a fault in a phase, and return what came of it. `timeout` limits its cell, if it has one.

        In `starting` it is the next generation that is struck, and the current one ends before.

        Raises FaultError for an unknown fault or phase and for two that don't go together, FaultNotPossibleError when
        this machine can't produce it, KernelIsDead when the kernel had died before.
        """
        with self._lock:
            chosen = self._find_fault(fault) if isinstance(fault, str) or not hasattr(fault, "strike") else fault
            moment = phases.find(phase)
            seconds = exchange.seconds_for(self.spec, timeout)
            self._show(self._living())
            if moment.name == phases.IDLE:
                return striking.strike_idle(self._life, chosen, lambda: chosen.strike(self, timeout))
            number = striking.signal_for(chosen, moment, self.spec)
            life = self._living()
            if moment.name != phases.STARTING:
                return striking.strike_in(moment, life, chosen, number, seconds)
            self.shutdown(now=True)
            self._life = self._generations.launch(life.generation + 1, mute=True)
            self._ended = False
            return striking.strike_at_start(self._life, chosen, number)

    def __repr__(self) -> str:
        state = "shut down" if self._ended else "running" if self.is_alive else "dead"
        return f"<Kernel {self.pid}: {self.spec.made_by.name}, generation {self.generation}, {state}>"

    def _show(self, life: Life) -> None:
        if self.witness is not None:
            self.witness(life, life.last_cell or "")

    def interrupt(self) -> None:
        """Send SIGINT, as Ctrl-C does: the running cell ends with KeyboardInterrupt."""
        # Without the lock: the cell that is to be interrupted holds it in another thread.
        self._life.interrupt()

    def signal(self, number: int) -> None:
        """Send any signal to the process."""
        self._life.signal(number)

    def restart(self, *, asked: bool = True) -> None:
        """End the process if it lives, and start the next generation from the same spec.

        The manager of a Jupyter or Spyder kernel that has died restarts it within some seconds, unasked: `asked=False`
        waits for that. The generations count all processes, also those that died again before anybody looked.

        Raises KernelStartError when no process gets as far as its first reply.
        """
        with self._lock:
            life = self._life
            if asked and (self._ended or not life.is_managed):
                self.shutdown()
                self._life = self._start(life.generation + 1)
                self._ended = False
                return
            if not asked and life.is_managed and life.wait(_DYING_SECONDS, channel=False) is not Event.DEATH:
                raise KernelStartError("the kernel lives, so its manager doesn't restart it: call restart()")
            while not self._succeed(asked=asked):
                continue  # it died again, and its manager goes on until it gives up

    def shutdown(self, *, now: bool = False) -> None:
        """Ask the process to end (not with `now`), and make it end after 5 s; then end whatever it left running.

        Does nothing the second time.
        """
        with self._lock:
            if self._ended:
                return
            # Without a supervisor there is no process either.
            with contextlib.suppress(SupervisorGoneError):
                self._end(self._life, now=now)
            # Only now: one that was interrupted is to be done again.
            self._ended = True

    def _end(self, life: Life, *, now: bool) -> None:
        if life.is_alive:
            if not now:
                with contextlib.suppress(ChannelTornError):
                    life.send({"kind": "shutdown"})
            seconds = self.spec.made_by.shutdown_seconds
            if now or life.wait(seconds, channel=False) is not Event.DEATH:
                asked = "without being asked" if now else f"since it did not shut down within {seconds:g} s"
                life.end(f"it was ended {asked}", deadline=not now)
        try:
            self._notice_death()
        finally:
            self._generations.close()
        self.past.left_behind += life.clean_up()

    def _living(self) -> Life:
        self._notice_death()
        post_mortem = self._life.post_mortem
        if post_mortem is not None and self._life.died_at is not None:
            ago = monotonic() - self._life.died_at
            raise KernelIsDead(
                f"the kernel has been dead for {ago:.1f} s: {post_mortem.headline()}; call restart() for a new one",
                post_mortem,
            )
        return self._life

    def _notice_death(self) -> None:
        """Bury a process that has died; keep its post-mortem."""
        life = self._life
        if life.post_mortem is None and not life.is_alive:
            life.bury()
        if life.post_mortem is not None:
            self.past.died(life.post_mortem)

    def _start(self, generation: int) -> Life:
        with room.Needed("no kernel can be started"):
            life = self._generations.launch(generation)
        try:
            self._version = exchange.greet(life, self.spec)
        except BaseException:
            # Also of a caller who was interrupted.
            self._generations.close()
            self.past.left_behind += life.clean_up()
            raise
        return life

    def _succeed(self, *, asked: bool) -> bool:
        """Go on with what the kernel's host has started or starts; whether it came to its first reply."""
        lives = self._generations.succeed(self._life.generation, self.spec.start_timeout, asked=asked)
        try:
            for life in lives:
                self._notice_death()
                self.past.left_behind += self._life.clean_up()
                self._life = life
            self._version = exchange.greet(self._life, self.spec)
        except KernelStartError:
            if asked:
                raise
            return False
        except BaseException:
            # Interrupted: we don't know any more which one is the host's latest, and the next one has a new host.
            self._generations.close()
            raise
        return True
