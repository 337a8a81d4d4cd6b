"""The host of one Jupyter kernel, without a kernel: what it tells, and who may start or end a process at one time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jupyter_client")
from jupyter_client.ioloop.manager import AsyncIOLoopKernelManager

from pytest_tfkernel._child import frames
from pytest_tfkernel.hosts import jupyter
from pytest_tfkernel.hosts.child import Reaped
from pytest_tfkernel.hosts.jupyter import JupyterHost, Manager
from pytest_tfkernel.model.processes import ProcessId, ResourceUsage
from pytest_tfkernel.processes.wire import Channel, Message

ORDER: dict[str, Any] = {"lease": 1 << 41, "folder": None, "limits": [], "cgroups": []}
START: Message = {
    "kind": "start",
    "kernelspec": None,
    "argv": ["/nonexistent/python"],
    "env": {"A": "1"},
    "environment": {},
    "order": ORDER,
    "generation": 1,
    "time_to_dead": None,
}


class Ends:
    """A host, and what it says on both of its sockets."""

    def __init__(self) -> None:
        control, theirs = Channel.pair()
        reports, heard = socket.socketpair()
        self.control, self.reports = frames.Port(theirs), frames.Port(heard)
        self.host = JupyterHost(control, frames.Port(reports))
        self._channel = control

    def serve(self, *requests: Message) -> list[Message]:
        """All that it tells until the end of the channel."""
        for request in requests:
            self.control.send(request)
        self.control.socket.shutdown(1)
        asyncio.run(asyncio.wait_for(self.host.serve(), 60))
        return self.told()

    def told(self) -> list[Message]:
        self._channel.close()
        found = []
        while True:
            try:
                found.append(self.control.receive())
            except EOFError:
                return found

    def close(self) -> None:
        for end in (self.control, self.reports, self._channel, self.host._reports):
            end.close()
        self.host._context.destroy(linger=0)


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


class TestRequests:
    def test_a_process_that_can_not_be_started_is_told(self, ends: Ends, tmp_path: Path) -> None:
        told = ends.serve({**START, "temporary": str(tmp_path)})
        assert [one["kind"] for one in told] == ["failed"]
        assert told[0]["error"].startswith("FileNotFoundError: ")
        # What was made for it is gone, but for its folder.
        assert ends.host._generations == set()

    def test_a_kernelspec_that_is_not_installed_is_told(self, ends: Ends, tmp_path: Path) -> None:
        (told,) = ends.serve({**START, "kernelspec": "of-nobody", "temporary": str(tmp_path)})
        assert told["error"].startswith("NoSuchKernel: ")

    def test_a_restart_before_a_start_is_nothing(self, ends: Ends) -> None:
        assert ends.serve({"kind": "restart", "now": True, "generation": 1}) == []


class TestReports:
    PROCESS = ProcessId(7, 8)
    USAGE = ResourceUsage(1.0, 2.0, 4096)

    def test_a_death_goes_to_the_supervisor(self, ends: Ends) -> None:
        ends.host.report(self.PROCESS, Reaped(9, self.USAGE, 5.0, 3), [9])
        told = ends.reports.receive(60)
        assert (told["pid"], told["start_time"], told["status"], told["signals"]) == (7, 8, 9, [9])
        assert (told["max_rss"], told["child_faults"], told["time"]) == (4096, 3, 5.0)

    @pytest.mark.parametrize("reaped", [Reaped(None, None, 5.0), Reaped(9, None, 5.0)])
    def test_what_somebody_else_has_waited_for_does_not(self, ends: Ends, reaped: Reaped) -> None:
        ends.host.report(self.PROCESS, reaped, [])
        with pytest.raises(frames.LateError):
            ends.reports.receive(0)

    def test_nobody_who_hears_is_no_error(self, ends: Ends) -> None:
        ends.control.close()
        ends.reports.close()
        ends.host.tell({"kind": "dead", "generation": 1})
        ends.host.report(self.PROCESS, Reaped(9, self.USAGE, 5.0), [])


def test_generations_are_counted_from_that_of_the_request(ends: Ends, tmp_path: Path) -> None:
    request = {**START, "temporary": str(tmp_path)}
    ends.host._latest = 4
    made = [ends.host.next_generation(request) for _ in range(2)]
    assert [(one.number, one.lease) for one in made] == [(5, ORDER["lease"] + 4), (6, ORDER["lease"] + 5)]
    for one in made:
        one.close()


def test_a_kernelspec_of_our_own_is_what_was_asked_for() -> None:
    spec = jupyter._kernelspec(START)
    assert (spec.argv, spec.env, spec.language) == (["/nonexistent/python"], {"A": "1"}, "python")


class Acts:
    """Notes what the manager of jupyter_client is made to do, each of which lasts until it is let go on."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.words: list[dict[str, object]] = []
        self.go_on = asyncio.Event()
        self.alive = True

    def named(self, name: str) -> Callable[..., Any]:
        async def act(*_: object, **words: object) -> None:
            self.begun.append(name)
            self.words.append(words)
            await self.go_on.wait()

        return act

    async def is_alive(self, *_: object) -> bool:
        return self.alive


def play(monkeypatch: pytest.MonkeyPatch, scene: Callable[[Manager, Acts], Any]) -> list[str]:
    async def run() -> list[str]:
        acts = Acts()
        for name in ("restart_kernel", "shutdown_kernel", "interrupt_kernel"):
            monkeypatch.setattr(AsyncIOLoopKernelManager, name, acts.named(name.partition("_")[0]))
        monkeypatch.setattr(AsyncIOLoopKernelManager, "is_alive", acts.is_alive)
        await asyncio.wait_for(scene(Manager(), acts), 60)
        return acts.begun

    return asyncio.run(run())


class TestTheManager:
    @pytest.mark.parametrize("wanted", [True, False])
    def test_does_what_is_wanted_still(self, monkeypatch: pytest.MonkeyPatch, wanted: bool) -> None:
        async def scene(manager: Manager, acts: Acts) -> None:
            acts.go_on.set()
            await manager.restart_as_asked(lambda: wanted, now=True)
            await manager.shutdown_as_asked(lambda: wanted)
            await manager.interrupt_as_asked(lambda: wanted)

        assert play(monkeypatch, scene) == (["restart", "shutdown", "interrupt"] if wanted else [])

    def test_does_one_thing_at_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def scene(manager: Manager, acts: Acts) -> None:
            ending = asyncio.create_task(manager.shutdown_as_asked(lambda: True))
            restart = asyncio.create_task(manager.restart_as_asked(lambda: True, now=True))
            for _ in range(10):
                await asyncio.sleep(0)
            assert acts.begun == ["shutdown"]
            # But an interrupt comes while it is ending.
            interrupt = asyncio.create_task(manager.interrupt_as_asked(lambda: True))
            for _ in range(10):
                await asyncio.sleep(0)
            assert acts.begun == ["shutdown", "interrupt"]
            acts.go_on.set()
            await asyncio.gather(ending, restart, interrupt)

        assert play(monkeypatch, scene) == ["shutdown", "interrupt", "restart"]

    @pytest.mark.parametrize("alive", [True, False])
    def test_asks_nothing_of_a_dead_one_that_the_next_would_hear(
        self, monkeypatch: pytest.MonkeyPatch, alive: bool
    ) -> None:
        async def scene(manager: Manager, acts: Acts) -> None:
            acts.go_on.set()
            acts.alive = alive
            await manager.restart_as_asked(lambda: True, now=False)
            assert acts.words == [{"now": not alive}]

        assert play(monkeypatch, scene) == ["restart"]

    def test_interrupts_nothing_that_has_ended(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def scene(manager: Manager, acts: Acts) -> None:
            acts.alive = False
            await manager.interrupt_as_asked(lambda: True)

        assert play(monkeypatch, scene) == []

    @pytest.mark.parametrize(
        ("alive", "shutting_down", "begun"),
        [(False, False, ["restart"]), (True, False, []), (False, True, [])],
        ids=["dead", "somebody was faster", "it was to end"],
    )
    def test_lets_the_restarter_restart_what_is_dead_and_wanted(
        self, monkeypatch: pytest.MonkeyPatch, alive: bool, shutting_down: bool, begun: list[str]
    ) -> None:
        async def scene(manager: Manager, acts: Acts) -> None:
            acts.alive, manager.shutting_down = alive, shutting_down
            acts.go_on.set()
            await manager.restart_kernel(now=True)

        assert play(monkeypatch, scene) == begun


class TestWhatTheRestarterDoes:
    def test_is_told_at_its_pace(self) -> None:
        told: list[str] = []

        async def watch() -> Any:
            manager = Manager()
            manager.watch(0.5, told.append)
            return manager._restarter

        restarter = asyncio.run(watch())
        assert restarter.time_to_dead == 0.5
        for event in ("restart", "dead"):
            restarter._fire_callbacks(event)
        assert told == ["restarting", "dead"]
