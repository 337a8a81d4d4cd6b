"""Sockets on which somebody listens, and the names of Unix sockets."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import LEADERLESS, Account
from pytest_tfkernel.audit.table import Table
from pytest_tfkernel.model.resources import Kind

OpenAccount = Callable[..., Account]

# For cells. TCP sockets take a free port.
SOCKETS = f"""{LEADERLESS}
import socket
def bound(family, address):
    sock = socket.socket(family)
    sock.bind(address)
    return sock
def listening(family, address):
    sock = bound(family, address)
    sock.listen()
    return sock
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        yield Path(folder)


@pytest.mark.parametrize(("table", "family", "host"), [("tcp", "AF_INET", "127.0.0.1"), ("tcp6", "AF_INET6", "::1")])
def test_a_port_on_which_a_child_listens_is_found(account: Account, table: str, family: str, host: str) -> None:
    try:
        with socket.socket(getattr(socket, family)) as sock:
            sock.bind((host, 0))
    except OSError as error:
        pytest.skip(f"no {family} here: {error}")
    cell = f"{SOCKETS}\nsock = listening(socket.{family}, ({host!r}, 0))\n"
    port, pid = account.run(f"{cell}pid = child(int)\n[sock.getsockname()[1], pid]", "the first cell")
    (leak,) = account.leaks(Kind.SOCKET)
    assert (leak.resource.name, leak.resource.detail) == (f"{table} {host}:{port}", "listening")
    assert (leak.since, [holder.process.pid for holder in leak.resource.holders]) == ("the first cell", [pid])


def test_the_tables_of_tcp_are_read_only_where_a_socket_may_be_in_them(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    lines = Table.lines

    def noted(table: Table, name: str, kind: Kind) -> list[str]:
        read.append(name)
        return lines(table, name, kind)

    monkeypatch.setattr(Table, "lines", noted)
    account.run(f"{SOCKETS}\npair = socket.socketpair()")
    assert [name for name in read if name.startswith("net/tcp")] == []
    account.run("one = bound(socket.AF_INET, ('127.0.0.1', 0))")
    assert {"net/tcp", "net/tcp6"} <= set(read)


def test_a_port_goes_with_its_last_process(account: Account) -> None:
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_INET, ('127.0.0.1', 0))")
    assert account.die().leaks == ()


def test_a_socket_that_nobody_can_connect_to_is_no_leak(account: Account) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        cell = f"{SOCKETS}\nto = socket.create_connection({server.getsockname()!r})"
        account.run(f"{cell}\nsocks = bound(socket.AF_INET, ('127.0.0.1', 0)), *socket.socketpair()\nchild(int)")
        assert account.leaks(Kind.SOCKET) == []


def test_each_kernel_is_blamed_for_its_own_port(account: Account, neighbour: Account) -> None:
    cell = f"{SOCKETS}\nsock = listening(socket.AF_INET, ('127.0.0.1', 0))\nchild(int)\nsock.getsockname()[1]"
    for one, port in [(one, one.run(cell)) for one in (account, neighbour)]:
        assert [leak.resource.name for leak in one.leaks(Kind.SOCKET)] == [f"tcp 127.0.0.1:{port}"]


def test_threads_that_outlive_the_first_one_listen(account: Account) -> None:
    cell = f"{SOCKETS}\ndef listen():\n    global sock\n    sock = listening(socket.AF_INET, ('127.0.0.1', 0))\n"
    pid = account.run(f"{cell}leaderless(listen)")
    (leak,) = account.leaks(Kind.SOCKET)
    assert [holder.process.pid for holder in leak.resource.holders] == [pid]


@pytest.mark.parametrize("name", [b"plain", b" two  words\x85\x0c", b"a\nb \xff", b"a\nff: 2 x 1 2 3 4 5"])
def test_the_file_of_a_unix_socket_is_found(account: Account, folder: Path, name: bytes) -> None:
    path = os.fsencode(folder) + b"/" + name
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {path!r})", "the first cell")
    (leak,) = account.die().leaks
    assert (leak.resource.kind, os.fsencode(leak.resource.name)) == (Kind.SOCKET, path)
    assert (leak.resource.holders, leak.since) == ((), "the first cell")
    assert "\n" not in str(leak)
    str(leak).encode()


def test_an_abstract_socket_is_found_while_it_is_held(account: Account) -> None:
    name = f"tfkernel-test-{os.getpid()}"
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {chr(0) + name!r})\nchild(int)")
    assert [leak.resource.name for leak in account.leaks(Kind.SOCKET)] == [f"@{name}"]


def test_an_abstract_socket_goes_with_its_last_process(account: Account, tmp_path: Path) -> None:
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {chr(0) + 'tfkernel-gone'!r})")
    assert account.die().leaks == ()


def test_a_unix_socket_whose_file_is_gone_is_no_leak(account: Account, folder: Path) -> None:
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {str(folder / 's')!r})")
    account.do(f"os.unlink({str(folder / 's')!r})")
    assert account.die().leaks == ()


def test_another_file_in_the_place_of_a_unix_socket_is_not_blamed(account: Account, folder: Path) -> None:
    path = folder / "s"
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {str(path)!r})")
    path.rename(folder / "elsewhere")
    path.touch()
    assert account.die().leaks == ()


def test_the_file_of_a_relative_name_is_not_guessed(
    open_account: OpenAccount, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is relative to where the kernel was, and nobody knows where that is.
    account = open_account(spec={"folder": str(folder)})
    monkeypatch.chdir(folder)
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, 's')")
    assert account.die().leaks == ()


def test_a_unix_socket_that_another_process_listens_on_is_not_blamed(
    account: Account, neighbour: Account, folder: Path
) -> None:
    path = str(folder / "s")
    account.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {path!r})")
    # The file keeps its inode, and the open socket gets another process.
    cell = f"{SOCKETS}\nto, fro = listening(socket.AF_UNIX, {path + 'x'!r}), None\nfro = socket.socket(socket.AF_UNIX)"
    neighbour.do(f"{cell}\nfro.connect({path + 'x'!r})\nfro = to.accept()[0]\n")
    sender = f"import array\nto = socket.socket(socket.AF_UNIX)\nto.connect({path + 'x'!r})\n"
    account.do(
        sender + "to.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [sock.fileno()]))])"
    )
    neighbour.do("sock = socket.recv_fds(to.accept()[0], 1, 1)")
    assert account.die().leaks == ()


def test_a_unix_socket_of_a_neighbour_is_not_blamed(account: Account, neighbour: Account, folder: Path) -> None:
    neighbour.run(f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {str(folder / 's')!r})")
    account.run(f"{SOCKETS}\nsock = socket.socket(socket.AF_UNIX)\nsock.connect({str(folder / 's')!r})")
    assert account.die().leaks == ()


def test_a_unix_socket_that_existed_before_is_not_blamed(
    open_account: OpenAccount, neighbour: Account, folder: Path
) -> None:
    path = str(folder / "s")
    neighbour.do(
        f"{SOCKETS}\nsock = listening(socket.AF_UNIX, {path!r})\nway = listening(socket.AF_UNIX, {path + 'x'!r})"
    )
    account = open_account()
    account.do(f"{SOCKETS}\nto = socket.socket(socket.AF_UNIX)\nto.connect({path + 'x'!r})")
    neighbour.do("socket.send_fds(way.accept()[0], [b'x'], [sock.fileno()])")
    account.run("sock = socket.recv_fds(to, 1, 1)[1]\nchild(int)")
    neighbour.kernel.shutdown(now=True)
    assert account.leaks(Kind.SOCKET) == []
