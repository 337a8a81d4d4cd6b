"""Where a socket of pytest's listens, and which file a lock of its is on."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest

from pytest_tfkernel.gate import addresses
from pytest_tfkernel.gate.addresses import listening, path_of
from pytest_tfkernel.gate.ground import Ground
from pytest_tfkernel.model.resources import Kind, Resource


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(shared=str(tmp_path))


def test_own_socket_is_told_by_its_address_while_it_listens(ground: Ground) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as idle:
        mine = [thing for thing in ground.sweep().mine if thing.kind is Kind.SOCKET]
        assert len(mine) == 2
        names = [one.name for one in (listening(ground, thing) for thing in mine) if one is not None]
        assert names == [f"tcp 127.0.0.1:{server.getsockname()[1]}"]
        assert idle.fileno() > 0
        assert [thing for thing in ground.sweep().mine if thing.kind is Kind.SOCKET] == []
    assert [listening(ground, thing) for thing in mine] == [None, None]


def test_descriptor_that_is_no_socket_any_more_listens_no_more(ground: Ground) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    (thing,) = [thing for thing in ground.sweep().mine if thing.kind is Kind.SOCKET]
    number = server.fileno()
    server.close()
    null = os.open(os.devnull, os.O_RDONLY)
    if null != number:
        os.dup2(null, number)
    assert listening(ground, thing) is None
    for descriptor in {null, number}:
        os.close(descriptor)


class TestListening:
    @pytest.fixture
    def short(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The path of a Unix socket is short."""
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def _told(self, ground: Ground) -> tuple[str, str]:
        (thing,) = [thing for thing in ground.sweep().mine if thing.kind is Kind.SOCKET]
        found = listening(ground, thing)
        assert found is not None
        assert found.identity == thing.identity
        return found.name, found.detail

    def test_on_a_path(self, ground: Ground, short: Path) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("here")
            server.listen()
            assert self._told(ground) == ("here", "Unix socket")

    def test_on_an_abstract_name(self, ground: Ground) -> None:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"\0tfkernel-{os.getpid()}")
            server.listen()
            assert self._told(ground) == (f"@tfkernel-{os.getpid()}", "Unix socket")

    def test_on_an_address_of_ipv6(self, ground: Ground) -> None:
        if not socket.has_ipv6:
            pytest.skip("this Python has no IPv6")
        try:
            server = socket.create_server(("::1", 0), family=socket.AF_INET6)
        except OSError:
            pytest.skip("this machine has no IPv6")
        with server:
            assert self._told(ground) == (f"tcp6 ::1:{server.getsockname()[1]}", "listening")

    def test_that_nobody_can_tell_now_is_noted(self, ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(_: int) -> int:
            raise OSError(24, "Too many open files")

        with socket.create_server(("127.0.0.1", 0)):
            (thing,) = [thing for thing in ground.sweep().mine if thing.kind is Kind.SOCKET]
            monkeypatch.setattr(addresses._Kept, "dup", staticmethod(refuse))
            assert listening(ground, thing) is None
        assert [blind.reason for blind in ground.blind if blind.kind is Kind.SOCKET] == ["Too many open files"]

    def test_of_a_socket_that_pytest_does_not_have_is_none(self, ground: Ground) -> None:
        assert listening(ground, Resource(Kind.SOCKET, "socket", "1")) is None


class TestTheFileOfALock:
    def test_is_named_while_pytest_has_it_open(self, ground: Ground, tmp_path: Path) -> None:
        with (tmp_path / "locked").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            (lock,) = [thing for thing in ground.sweep().mine if thing.kind is Kind.LOCK]
            assert path_of(ground, lock) == str(tmp_path / "locked")
        assert path_of(ground, lock) == lock.name
