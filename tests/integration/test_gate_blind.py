"""The gate: a look that fails blames nobody, and what a test puts over the system hides and invents nothing."""

from __future__ import annotations

import pytest

from gated import Run, blamed, end, section
from inner import Inner, counts

# What other fixtures hold all the time.
HELD = """
@pytest.fixture(scope="session", autouse=True)
def held(unlink=os.unlink):  # a fake file system may be there still
    memory = open(f"/dev/shm/tfkernel-{os.getpid()}", "w")
    with open(os.environ["HERE"] + "/lock", "w") as file, socket.create_server(("127.0.0.1", 0)) as server:
        fcntl.flock(file, fcntl.LOCK_EX)
        process = sleeper()
        yield process
        end(process)
    memory.close()
    unlink(memory.name)

def test_before(): pass
"""

# Whose turn it is when they can be looked at again is not whose they are.
EXHAUSTED = {
    "soft limit": """
import resource
before = resource.getrlimit(resource.RLIMIT_NOFILE)

def test_blinds(): resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
def test_is_blind(): assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 3
def test_gives_back(): resource.setrlimit(resource.RLIMIT_NOFILE, before)
""",
    "all used": """
import resource
before = resource.getrlimit(resource.RLIMIT_NOFILE)
used = []

def test_blinds():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    with pytest.raises(OSError):
        while True: used.append(os.dup(0))

def test_is_blind(): pass

def test_gives_back():
    for one in used: os.close(one)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
""",
    "all used but one": """
import resource
before = resource.getrlimit(resource.RLIMIT_NOFILE)
used = []

def test_blinds():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    with pytest.raises(OSError):
        while True: used.append(os.dup(0))
    os.close(used.pop())

def test_is_blind(): pass

def test_gives_back():
    for one in used: os.close(one)
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
""",
}
AFTER = """
def test_innocent(): subprocess.run(["true"], check=True)
def test_last(): pass
"""


# Just one look finds no descriptor.
BLINDED = """
from pytest_tfkernel._child import system
from pytest_tfkernel.audit.probes.shared_memory import SharedMemory
from pytest_tfkernel.gate.judge import AccountJudge

real, read, names = {of}.{method}, system.read, system.names

def refuse(*_): raise OSError(24, "Too many open files")

def blinded(*arguments):
    system.read = system.names = refuse
    try:
        return real(*arguments)
    finally:
        system.read, system.names = read, names

{of}.{method} = blinded
"""

# Those of this machine are as they are.
ALONE = """
from pytest_tfkernel.gate import neighbours
neighbours.are_there = lambda: False
"""


class TestWhileNobodyCanLook:
    @pytest.mark.parametrize("code", EXHAUSTED.values(), ids=EXHAUSTED)
    def test_nobody_is_blamed(self, run: Run, code: str) -> None:
        result = run(HELD + code + AFTER)
        assert blamed(result) == []
        assert result.ret == 0
        assert [line for line in section(result) if not line.startswith(("not looked at", "helpers"))] == []

    def test_that_is_told(self, run: Run) -> None:
        result = run(HELD + EXHAUSTED["soft limit"] + AFTER)
        told = [line.rpartition(": ")[0] for line in section(result) if "Too many open files" in line]
        assert "not looked at, 1 x: /proc" in told
        assert "not looked at, 1 x: /proc/self/fd" in told
        assert "not looked at, 1 x: /dev/shm" in told

    def test_what_appears_is_not_the_next_ones(self, run: Run) -> None:
        result = run(
            HELD
            + EXHAUSTED["soft limit"].replace(
                "def test_is_blind(): ",
                """
def test_is_blind():
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
    kept.append(socket.create_server(("127.0.0.1", 0)))
    kept.append(open(os.environ["HERE"] + "/other", "w"))
    fcntl.flock(kept[-1], fcntl.LOCK_EX)
    by_a_child(f"open('/dev/shm/tfkernel-{os.getpid()}-', 'w').close()")
    atexit.register(os.unlink, f"/dev/shm/tfkernel-{os.getpid()}-")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    """,
            )
            + AFTER
        )
        assert blamed(result) == []
        told = [line for line in result.outlines if line.startswith("  shared-memory /dev/shm/tfkernel-")]
        assert [line.partition("; ")[2] for line in told] == ["running at the time: test_mine.py::test_gives_back"]

    def test_a_process_that_is_left_is_told_with_its_test_when_somebody_can(self, run: Run) -> None:
        result = run(
            EXHAUSTED["soft limit"].replace("def test_blinds(): ", "def test_blinds():\n    sleeper(), daemon(); ")
            + AFTER
        )
        assert blamed(result) == []
        lines = section(result)
        assert lines.count("test_mine.py::test_blinds") == 2
        told = [line for line in lines if line.startswith("  left behind: process ")]
        assert len(told) == 2
        assert all(line.endswith(" - nobody could look when its turn was over") for line in told)

    def test_what_was_seen_in_it_and_has_gone_is_nobodys(self, run: Run) -> None:
        result = run(
            EXHAUSTED["soft limit"].replace(
                "def test_blinds(): ",
                """
@pytest.fixture(scope="session")
def other(): pass

def test_blinds(request):
    with open(os.environ["HERE"] + "/lock", "w") as file, socket.create_server(("127.0.0.1", 0)):
        fcntl.flock(file, fcntl.LOCK_EX)
        request.getfixturevalue("other")
    """,
            )
            + AFTER
        )
        assert blamed(result) == []

    def test_a_child_that_wears_no_number_is_not_the_next_ones(self, run: Run) -> None:
        result = run(
            EXHAUSTED["soft limit"].replace(
                "def test_blinds(): ",
                """
def test_blinds():
    kept.append(subprocess.Popen(["prlimit", "--locks=7:", "sleep", "300"]))
    note(kept[-1].pid)
    while b"sleep" not in Path(f"/proc/{kept[-1].pid}/comm").read_bytes(): time.sleep(0.01)
    """,
            )
            + AFTER
        )
        assert blamed(result) == []
        assert any(
            "(sleep 300); running at the time: test_mine.py::test_gives_back" in line for line in result.outlines
        )

    def test_what_a_fork_may_have_inherited_is_not_its_own(self, run: Run, gated: Inner) -> None:
        gated.write("blinded.py", BLINDED.format(of="AccountJudge", method="_inherited"))
        code = """
@pytest.fixture(scope="session")
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server

def test_leaks(server):
    if (pid := os.fork()) == 0:
        # It has the socket of the fixture, and nothing else.
        os.closerange(0, server.fileno()), os.closerange(server.fileno() + 1, 100)
        time.sleep(300)
    note(pid)
"""
        result = run(code, "-p", "blinded")
        assert blamed(result) == ["test_leaks"]
        left = [line.split()[2] for line in result.outlines if line.startswith("left behind: ")]
        assert left == ["process"]

    def test_memory_that_may_be_in_use_is_nobodys(self, run: Run, gated: Inner) -> None:
        gated.write("blinded.py", BLINDED.format(of="SharedMemory", method="persists") + ALONE)
        result = run(
            """
def test_makes():
    by_a_child(f"open('/dev/shm/tfkernel-{os.getpid()}-', 'w').close()")
    atexit.register(os.unlink, f"/dev/shm/tfkernel-{os.getpid()}-")
""",
            "-p",
            "blinded",
        )
        assert counts(result) == {"passed": 1}

    def test_a_leak_before_and_after_is_its_tests(self, run: Run) -> None:
        result = run(
            "def test_first(): sleeper(), kept.append(socket.create_server(('127.0.0.1', 0)))\n"
            + EXHAUSTED["soft limit"]
            + AFTER
            + "def test_leaks(): sleeper(), kept.append(socket.create_server(('127.0.0.1', 0)))\n"
        )
        assert blamed(result) == ["test_first", "test_leaks"]
        assert len([line for line in result.outlines if line.startswith("left behind: ")]) == 4


# Over the functions of the system, for the whole session: what is left is there all the same.
FAKES = {
    "functions": """
import builtins, io, os

def refuse(*_, **__): raise FileNotFoundError(2, "No such file or directory")

def put(patch):
    for name in ("open", "listdir", "scandir", "readlink", "stat", "lstat", "access"):
        patch.setattr(os, name, refuse)
    patch.setattr(os, "getpid", lambda: 1)
    patch.setattr(builtins, "open", refuse)
    patch.setattr(io, "open", refuse)
""",
    "paths": """
import os, pathlib

def put(patch):
    patch.setattr(os.path, "lexists", lambda path: True)
    patch.setattr(os.path, "exists", lambda path: True)
    patch.setattr(os.path, "abspath", lambda path: "/nowhere")
    patch.setattr(pathlib.Path, "exists", lambda path: True)
    patch.setattr(pathlib.Path, "open", None)
""",
    "sockets": """
import os, socket

class Guarded(socket.socket):
    def __new__(cls, *_, **__): raise RuntimeError("A test tried to use socket.socket.")

def put(patch):
    patch.setattr(socket, "socket", Guarded)
    patch.setattr(os, "dup", None)
""",
    "limits": """
import resource

def put(patch):
    for name in ("setrlimit", "getrlimit", "prlimit"):
        patch.setattr(resource, name, lambda *_: None)
""",
    "clocks": """
import time

def put(patch):
    for name in ("time", "monotonic", "perf_counter"):
        patch.setattr(time, name, lambda: 0.0)
    patch.setattr(time, "sleep", lambda seconds: None)
""",
}
FAKED = """
import fake, threading

server = socket.create_server(("127.0.0.1", 0))

@pytest.fixture(autouse=True, scope="session")
def pool():
    "Begins and ends while the system is faked."
    process = sleeper()
    yield process
    end(process)

@pytest.fixture(autouse=True, scope="{scope}")
def faked(request, pool):
    with pytest.MonkeyPatch.context() as patch:
        fake.put(patch)
        yield

popen = subprocess.Popen

@pytest.fixture(scope="session")
def on_demand():
    process = popen(["sleep", "300"])
    yield process
    end(process)

def test_clean(on_demand): pass

def test_leaks():
    server.listen()
    process = popen(["sleep", "300"])
    kept.append(process)

def test_after(on_demand):
    server.close()
"""


@pytest.mark.parametrize("scope", ["function", "session"])
@pytest.mark.parametrize("fake", FAKES.values(), ids=FAKES)
def test_what_a_test_puts_over_the_system_changes_nothing(run: Run, gated: Inner, fake: str, scope: str) -> None:
    gated.write("fake.py", fake)
    result = run(FAKED.format(scope=scope))
    for line in section(result):
        if "sleep 300" in line:
            end(int(line.split()[3]))
    assert blamed(result) == ["test_leaks"]
    assert counts(result) == {"passed": 3, "errors": 1}
    assert [line.split()[2] for line in result.outlines if line.startswith("left behind: ")] == ["process"]


@pytest.mark.parametrize("scope", ["", "_module", "_session"])
def test_a_fake_file_system_hides_and_invents_nothing(gated: Inner, run: Run, scope: str) -> None:
    pytest.importorskip("pyfakefs")
    object.__setattr__(gated, "plugins", ("fakefs",))
    result = run(f"""
{HELD}
popen = subprocess.Popen

def test_in_another_one(fs{scope}):
    fs{scope}.create_file("/dev/shm/invented")
    Path("/tmp/invented").mkdir(parents=True)
    tempfile.mkdtemp()
    Path(tempfile.gettempdir(), "invented").write_text("invented")
    assert not os.path.exists("/proc/self/fd")

def test_leaks(fs{scope}):
    kept.append(popen(["sleep", "300"]))

def test_after(fs{scope}): pass
def test_last(): pass
""")
    for line in section(result):
        if "sleep 300" in line:
            end(int(line.split()[3]))
    assert blamed(result) == ["test_leaks"]
    assert [line.split()[2] for line in result.outlines if line.startswith("left behind: ")] == ["process"]


def test_a_stopped_clock_stops_no_session(run: Run, gated: Inner) -> None:
    # Before anything of ours is imported.
    gated.write("stopped.py", "import time\ntime.monotonic = lambda: 0.0\n")
    result = run("def test_leaks(): sleeper()\n", "-p", "stopped", before=True)
    assert blamed(result) == ["test_leaks"]
