from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfkernel.doctor import advice, show
from pytest_tfkernel.doctor.findings import Examination, Surroundings
from pytest_tfkernel.doctor.site import Site

MIB = 1 << 20


def test_the_size_of_shared_memory_is_looked_at(tmp_path: Path) -> None:
    size, free = Site(shared_memory=tmp_path).surroundings().shared_memory or (0, 0)
    assert size >= free > 0
    assert Site(shared_memory=tmp_path / "none").surroundings().shared_memory is None


@pytest.mark.parametrize(
    ("sizes", "shown", "advised"),
    [
        ((64 * MIB, 60 * MIB), "/dev/shm has 64 MiB, of which 60 are free", "docker run --shm-size=2g"),
        ((2048 * MIB, 1 * MIB), "/dev/shm has 2048 MiB, of which 1 are free", ""),
        (None, "there is no /dev/shm", "mount -t tmpfs tmpfs /dev/shm"),
    ],
)
def test_the_size_of_shared_memory_is_told(sizes: tuple[int, int] | None, shown: str, advised: str) -> None:
    place = Surroundings(sizes)
    changes = "\n".join(advice.of_surroundings(place))
    assert f"Shared memory: {shown}\n" in show.report(Examination(surroundings=place))
    assert (advised in changes) if advised else not changes


@pytest.mark.parametrize("pid", [1, 2])
def test_process_1_wants_an_init(pid: int) -> None:
    place = Site(pid=pid).surroundings()
    assert place.is_first is (pid == 1)
    found = "\n".join(advice.of_surroundings(Surroundings((2048 * MIB, MIB), place.is_first)))
    assert ("docker run --init" in found) is (pid == 1)


def test_json_has_the_same() -> None:
    told = show.as_json(Examination(surroundings=Surroundings((64 * MIB, MIB), is_first=True)))
    assert f'"size": {64 * MIB}' in told
    assert '"is_process_1": true' in told
    assert '"shared_memory": null' in show.as_json(Examination())
