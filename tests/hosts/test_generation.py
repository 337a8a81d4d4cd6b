"""What one generation of a hosted kernel has of ours, from before its process is until it has died."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("jupyter_client")

from frontends import Client
from pytest_tfkernel._child import proc
from pytest_tfkernel._child.kin import TOKEN
from pytest_tfkernel.hosts.child import Child, Reaped
from pytest_tfkernel.hosts.generation import ManagedGeneration
from pytest_tfkernel.processes.orders import Order

# Above what anybody wears, and below what a hard limit may be.
LEASE = 1 << 41


@pytest.fixture
def generation(tmp_path: Path) -> Iterator[ManagedGeneration]:
    generation = ManagedGeneration(Order(LEASE, "/nonexistent"), tmp_path, 3)
    yield generation
    if os.path.lexists(f"/proc/self/fd/{generation._marks}"):
        generation.close()


def opened(generation: ManagedGeneration) -> list[int]:
    prints = generation._prints
    return [
        *(one.owned.number for stream in prints._streams.values() for one in (stream.shown, stream.given)),
        generation._stacks.descriptor,
        generation._channel.fileno(),
        generation._marks,
        generation._marks_writer,
    ]


def test_its_mark_and_folder_follow_from_its_number(generation: ManagedGeneration, tmp_path: Path) -> None:
    assert (generation.lease, generation.temporary) == (LEASE + 2, tmp_path / "3")
    assert stat.S_IMODE(generation.temporary.stat().st_mode) == 0o700
    assert generation.environment == {"TMPDIR": str(tmp_path / "3"), TOKEN: str(LEASE + 2)}


def test_its_process_begins_as_was_ordered(generation: ManagedGeneration) -> None:
    # The folder of the order is the manager's affair: this one doesn't exist.
    with subprocess.Popen(["sleep", "60"], **generation.how_to_start()) as process:
        try:
            given = {one: os.readlink(f"/proc/{process.pid}/fd/{one}") for one in (1, 2)}
            passed = [os.readlink(f"/proc/{process.pid}/fd/{one}") for one in generation.how_to_start()["pass_fds"]]
            lease = proc.lease_of(process.pid)
        finally:
            process.kill()
    assert ("given-stdout" in given[1], "given-stderr" in given[2]) == (True, True)
    assert "stacks" in passed[0]
    assert passed[1].startswith("pipe:")
    hard = resource.getrlimit(proc.RLIMIT_LOCKS)[1]
    assert lease == generation.lease or 0 <= hard < generation.lease


def test_its_beginning_is_told_with_four_descriptors(generation: ManagedGeneration) -> None:
    told: list[tuple[dict[str, Any], list[str]]] = []

    def tell(message: dict[str, Any], descriptors: tuple[int, ...]) -> None:
        told.append((message, [os.readlink(f"/proc/self/fd/{one}").partition(" ")[0] for one in descriptors]))

    with subprocess.Popen(["sleep", "60"]) as process:
        child = Child(process)
        generation.began(child, tell)
        process.kill()
        child.reap()
    ((message, descriptors),) = told
    assert message == {
        "kind": "started",
        "generation": 3,
        "pid": child.process.pid,
        "start_time": child.process.start_time,
        "lease": LEASE + 2,
        "temporary": str(generation.temporary),
    }
    assert descriptors[0].startswith("socket:")
    assert [one.partition("tfkernel-")[2] for one in descriptors[1:]] == ["stdout", "stderr", "stacks"]
    # Only pytest has that end now.
    assert generation._channel.is_closed()


def test_it_is_followed_until_its_death_is_reported(generation: ManagedGeneration) -> None:
    reported: list[Reaped] = []
    files = opened(generation)
    order: list[str] = []

    class Ending(Client):
        def stop_channels(self) -> None:
            order.append(f"stopped after {len(reported)} report")

    async def act(_: str) -> None:
        """Nobody asks."""

    async def follow(child: Child) -> None:
        await asyncio.wait_for(generation.follow(child, cast("Any", Ending()), act, reported.append), 60)

    with subprocess.Popen(["sleep", "60"]) as process:
        process.kill()
        asyncio.run(follow(Child(process)))
    (reaped,) = reported
    assert str(reaped.status) == "SIGKILL"
    assert order == ["stopped after 1 report"]
    for descriptor in files:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
