"""The processes of the machine, and what can't be seen of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import CHILD, LEADERLESS, NOBODY, Account, as_nobody
from pytest_tfkernel._child import proc, system
from pytest_tfkernel.audit.table import Entry, Table
from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Kind

REPOSITORY = Path(__file__).parents[2]
# No pid of a real process.
FIRST, SECOND, THIRD = 5_000_001, 5_000_002, 5_000_003


def write(root: Path, pid: int, parent: int, state: str = "S", threads: int = 1, start: int = 100) -> None:
    """A process in a folder that stands for /proc."""
    fields = [state, parent, pid, pid, *[0] * 13, threads, 0, start, 4096, *[0] * 30]
    folder = root / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (name) {' '.join(map(str, fields))}\n")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "61"]) as process:
        yield process
        process.kill()


@pytest.fixture
def theirs() -> Iterator[int]:
    """A process of another user than nobody."""
    if os.geteuid() != 0:
        yield 1
        return
    with subprocess.Popen(["sleep", "61"]) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def nobodys() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the user that looks."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "61"], **user) as process:  # type: ignore[call-overload]
        yield process
        process.kill()


def entry(table: Table, pid: int) -> Entry:
    found = table.entry(pid)
    assert found is not None
    return found


def test_a_process_is_described(sleeper: subprocess.Popen[bytes]) -> None:
    table = Table()
    found = entry(table, sleeper.pid)
    start_time = proc.start_time(sleeper.pid)
    assert start_time is not None
    assert (found.process, found.parent) == (ProcessId(sleeper.pid, start_time), os.getpid())
    assert (found.session, found.threads, found.is_dead) == (os.getsid(0), 1, False)
    assert table.entries[sleeper.pid] == found
    assert sleeper.pid in {one.process.pid for one in table.below(os.getpid())}
    holder = table.holder(found.process)
    assert holder.command == "sleep 61"
    assert holder.age is not None
    assert 0 <= holder.age < 10
    assert table.blind == []


def test_parents_come_before_children(tmp_path: Path) -> None:
    write(tmp_path, FIRST, 0)
    write(tmp_path, THIRD, SECOND)
    write(tmp_path, SECOND, FIRST)
    assert [one.process.pid for one in Table(tmp_path).below(FIRST)] == [SECOND, THIRD]


def test_an_age_is_never_negative(tmp_path: Path) -> None:
    (tmp_path / "uptime").write_text("5.00 1.00\n")
    assert Table(tmp_path).holder(ProcessId(FIRST, 10_000)).age == 0.0


@pytest.mark.parametrize("text", ["", "nonsense 1", None])
def test_an_age_may_be_unknown(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "uptime").write_text(text)
    assert Table(tmp_path).holder(ProcessId(FIRST, 1)).age is None


@pytest.mark.parametrize("text", ["", "7 (name", "7 (name) S 1 2 3", ") "])
def test_what_is_no_description_is_no_process(tmp_path: Path, text: str) -> None:
    write(tmp_path, 1, 0)
    write(tmp_path, FIRST, 1)
    (tmp_path / str(FIRST) / "stat").write_text(text)
    table = Table(tmp_path)
    assert list(table.entries) == [1]
    assert table.blind == []


def test_a_process_that_vanishes_holds_nothing_and_hides_nothing() -> None:
    with subprocess.Popen(["sleep", "61"]) as process:
        table = Table()
        found = entry(table, process.pid)
        process.kill()
    assert list(table.links([found])) == []
    assert list(table.mapped([found], b"/", Kind.SHARED_MEMORY)) == []
    assert table.holder(found.process).command == ""
    assert table.blind == []


def test_a_descriptor_that_vanishes_is_none(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table()
    found = entry(table, sleeper.pid)
    real = system.names
    monkeypatch.setattr(
        system, "names", lambda folder: [*real(folder), "77"] if folder.endswith("/fd") else real(folder)
    )
    assert {link.descriptor for link in table.links([found])} == {0, 1, 2}
    assert table.blind == []


def test_links_are_read_once(sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table()
    found = entry(table, sleeper.pid)
    first = list(table.links([found])), list(table.mapped([found], b"/", Kind.SHARED_MEMORY))
    sleeper.kill()
    sleeper.wait()
    assert (list(table.links([found])), list(table.mapped([found], b"/", Kind.SHARED_MEMORY))) == first
    assert first[1]


def test_links_of_several_threads_are_there_once(kernel_with_threads: int) -> None:
    table = Table()
    links = list(table.links([entry(table, kernel_with_threads)]))
    assert len(links) == len({link.descriptor for link in links})


@pytest.fixture
def kernel_with_threads(account: Account) -> int:
    account.do(
        "import threading\nfor _ in range(3): threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    assert len(os.listdir(f"/proc/{account.kernel.pid}/task")) == 4
    return account.kernel.pid


def test_processes_of_others_are_told(theirs: int) -> None:
    table = Table()
    found = entry(table, theirs)

    def look() -> list[str]:
        assert list(table.links([found])) == []
        assert list(table.mapped([found], b"/", Kind.SHARED_MEMORY)) == []
        return [f"{blind.kind.name} {blind}" for blind in table.blind]

    assert as_nobody(look) == [
        f"HANDLE /proc/{theirs}/task/{theirs}/fd: Permission denied",
        f"SHARED_MEMORY /proc/{theirs}/maps: Permission denied",
    ]


def test_own_processes_are_seen_by_any_user(nobodys: subprocess.Popen[bytes]) -> None:
    table = Table()
    found = entry(table, nobodys.pid)

    def look() -> list[object]:
        assert not table.blind
        return [sorted(link.descriptor for link in table.links([found])), list(map(str, table.blind))]

    assert as_nobody(look) == [[0, 1, 2], []]


def test_a_process_that_ends_while_others_may_not_look_is_gone(nobodys: subprocess.Popen[bytes]) -> None:
    # What a zombie had belongs to root; when it was still running, it could be read.
    table = Table()
    found = entry(table, nobodys.pid)
    nobodys.kill()
    os.waitid(os.P_PID, nobodys.pid, os.WEXITED | os.WNOWAIT)

    def look() -> list[str]:
        assert list(table.links([found])) == []
        assert list(table.mapped([found], b"/", Kind.SHARED_MEMORY)) == []
        return list(map(str, table.blind))

    assert as_nobody(look) == []


def test_threads_that_outlive_the_first_one_are_seen_by_any_user(account: Account) -> None:
    become = (
        f"os.setgroups([]), os.setresgid(*3 * [{NOBODY}]), os.setresuid(*3 * [{NOBODY}])" if os.geteuid() == 0 else "1"
    )
    dumpable = "__import__('ctypes').CDLL(None).prctl(4, 1, 0, 0, 0)"
    pid = account.do(f"{LEADERLESS}\nleaderless(lambda: ({become}, {dumpable}))")
    table = Table()
    found = entry(table, pid)

    def look() -> list[object]:
        links, maps = list(table.links([found])), list(table.mapped([found], b"/", Kind.SHARED_MEMORY))
        return [bool(links), bool(maps), list(map(str, table.blind))]

    assert as_nobody(look) == [True, True, []]


def test_a_machine_without_its_processes_is_told(tmp_path: Path) -> None:
    write(tmp_path, FIRST, 0)
    table = Table(tmp_path)
    assert list(table.entries) == [FIRST]
    assert [str(blind) for blind in table.blind] == [f"{tmp_path}: processes of other users are hidden (hidepid)"]


def test_a_folder_of_processes_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    for one in (tmp_path, *tmp_path.parents):
        # As many folders as pytest, and each worker of xdist, has made for itself.
        if one.name.startswith(("test_", "popen-", "pytest-")):
            one.chmod(0o755)
    root = tmp_path / "proc"
    root.mkdir(mode=0)

    def look() -> list[str]:
        table = Table(root)
        assert table.entries == {}
        assert table.lines("net/unix", Kind.SOCKET) == []
        return list(map(str, table.blind))

    assert as_nobody(look) == [f"{root}: Permission denied", f"{root}/net/unix: Permission denied"]


def test_a_table_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    table = Table(tmp_path)
    assert table.lines("net/tcp6", Kind.SOCKET) == []
    assert table.blind == []


def test_lines_end_at_newlines_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("a\x0b\x85\u2028b \xff\n\nc\n".encode("latin-1", "ignore") + b"\xff\n")
    assert Table(tmp_path).lines("file", Kind.SOCKET) == ["a\x0b\udc85b \udcff", "", "c", "\udcff"]


HIDEPID = """
import os, sys
from pathlib import Path
from pytest_tfkernel.audit.table import Table
# Group 0 may look, if no other one is named.
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
table = Table(Path(sys.argv[1]))
print(1 in table.entries, *table.blind, sep="|")
"""


@pytest.mark.parametrize("hidepid", [1, 2])
def test_hidden_processes_are_told(hidepid: int) -> None:
    # In a namespace of its own it lies above the other one, and anybody can reach it.
    root = Path("/proc")
    script = 'mount -t proc -o "hidepid=$1" proc "$2" && shift && exec "$2" -c "$3" "$1"'
    shell = ["unshare", "--mount", "sh", "-c", script, "sh", str(hidepid), str(root), sys.executable]
    if subprocess.run([*shell, ""], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    done = subprocess.run([*shell, HIDEPID], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    assert done.stdout == f"False|{root}: processes of other users are hidden (hidepid)\n"


def test_a_busy_machine_is_read_without_an_error(
    account: Account, eventually: Callable[[Callable[[], object]], None]
) -> None:
    # Processes come and go all the time.
    churn = "while True:\n    os.fork() or os._exit(0)\n    os.waitpid(-1, 0)"
    account.do(f"{CHILD}\nfor _ in range(3):\n    if os.fork() == 0:\n        exec({churn!r})")
    seen: set[ProcessId] = set()
    began = time.monotonic()
    while len(seen) <= 10 or time.monotonic() < began + 1.0:
        assert time.monotonic() < began + 20.0, "processes don't come and go"
        table = Table()
        members = list(table.below(account.kernel.pid))
        seen |= {one.process for one in members}
        list(table.links(members))
        list(table.mapped(members, b"/", Kind.SHARED_MEMORY))
        assert table.blind == []
    os.kill(account.kernel.pid, signal.SIGKILL)
