"""The gate: a test that leaves something behind fails by its name, and no other one does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gated import Run, blamed, end, section, told
from inner import Inner, counts
from pytest_tfkernel.model.resources import Kind

# Each leak in a test of its own, between two that are clean.
LEAKS = {
    Kind.PROCESS: ("sleeper()", "daemon()", "forked()"),
    Kind.ZOMBIE: (
        "kept.append(subprocess.Popen(['true'])); time.sleep(0.2)",
        "os.fork() or os._exit(0); time.sleep(0.1)",
    ),
    Kind.SHARED_MEMORY: ("shared()",),
    Kind.SEMAPHORE: ("kept.append(multiprocessing.get_context('spawn').Lock())",),
    Kind.SEGMENT: ("segment()",),
    Kind.SOCKET: (
        "kept.append(socket.create_server(('127.0.0.1', 0)))",
        "one = socket.socket(socket.AF_UNIX); one.bind(os.environ['HERE'] + '/a.sock'); one.close()",
        "one = socket.socket(socket.AF_UNIX); one.bind(f'\\0tfkernel-test-{os.getpid()}'); one.listen(); kept.append(one)",
    ),
    Kind.LOCK: (
        "kept.append(open(os.environ['HERE'] + '/lock', 'w')); fcntl.flock(kept[-1], fcntl.LOCK_EX)",
        "kept.append(open(os.environ['HERE'] + '/lock', 'w')); fcntl.lockf(kept[-1], fcntl.LOCK_EX)",
    ),
    Kind.FILE: (
        "tempfile.mkdtemp()",
        "os.close(tempfile.mkstemp()[0])",
        "os.mkdir(tempfile.gettempdir() + '/mine'); open(tempfile.gettempdir() + '/mine/one', 'w').close()",
        "Path(tempfile.gettempdir(), 'part').touch(); os.rename(tempfile.gettempdir() + '/part', tempfile.gettempdir() + '/all')",
    ),
}
PLANTED = {
    f"{kind.value.replace('-', '_')}_{number}": (kind.value, code)
    for kind, codes in LEAKS.items()
    for number, code in enumerate(codes)
}


@pytest.fixture(scope="module")
def planted(run_together: Callable[..., pytest.RunResult]) -> pytest.RunResult:
    code = "def test_before_{0}(): pass\n\ndef test_leaks_{0}():\n    {1}\n\ndef test_after_{0}(): pass\n"
    return run_together({name: code.format(name, one) for name, (_, one) in PLANTED.items()})


class TestLeakOfATest:
    @pytest.mark.parametrize("name", PLANTED)
    def test_is_told_by_its_kind(self, planted: pytest.RunResult, name: str) -> None:
        (line,) = told(planted)[f"test_{name}.py::test_leaks_{name}"]
        assert line.startswith(f"left behind: {PLANTED[name][0]} ")
        assert planted.outlines.count(line) == 1

    def test_fails_it_and_not_its_neighbours(self, planted: pytest.RunResult) -> None:
        assert sorted(blamed(planted)) == sorted(f"test_leaks_{name}" for name in PLANTED)
        assert counts(planted) == {"passed": 3 * len(PLANTED), "errors": len(PLANTED)}
        assert len(told(planted)) == len(PLANTED)

    def test_is_told_with_holder_command_and_age(self, run: Run) -> None:
        result = run("def test_leaks(): sleeper()\n")
        result.stdout.re_match_lines([r"left behind: process \d+ \(sleep 300, [12]\.\d s old\)"])
        result.stdout.fnmatch_lines(
            ['If that is meant to be: @pytest.mark.tfkernel_allow_leak("process", reason="...")']
        )

    def test_of_a_child_is_told_with_what_the_child_holds(self, run: Run) -> None:
        code = "import socket, time; one = socket.create_server(('127.0.0.1', 0)); print(flush=True); time.sleep(300)"
        result = run(f"""
def test_leaks():
    child = subprocess.Popen([sys.executable, "-c", {code!r}], stdout=subprocess.PIPE)
    note(child.pid)
    child.stdout.readline()
    kept.append(child)
""")
        assert blamed(result) == ["test_leaks"]
        result.stdout.re_match_lines([r"left behind: process .*", r"left behind: socket tcp 127.*, held by \d+ \(.*"])
        end(int(section(result)[1].split()[3]))

    def test_whose_first_thread_has_ended_is_told_with_the_others(self, run: Run) -> None:
        code = "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(300,)).start()"
        result = run(f"""
def test_leaks():
    kept.append(subprocess.Popen([sys.executable, "-c", {code!r} + "; ctypes.CDLL(None).pthread_exit(None)"]))
    while b") Z" not in Path(f"/proc/{{kept[-1].pid}}/stat").read_bytes(): time.sleep(0.01)

def test_after(): pass
""")
        (line,) = [line for line in result.outlines if line.startswith("left behind: ")]
        end(int(line.split()[3]))
        assert blamed(result) == ["test_leaks"]
        assert line.startswith("left behind: thread ")

    def test_is_told_beside_an_error_of_the_teardown(self, run: Run) -> None:
        result = run("""
@pytest.fixture
def broken():
    yield
    raise RuntimeError("mine")

def test_leaks(broken): sleeper()
""")
        assert counts(result) == {"passed": 1, "errors": 1}
        result.stdout.fnmatch_lines(["E * RuntimeError: mine", "*tfkernel gate*", "left behind: process * (sleep 300*"])

    def test_is_told_when_the_setup_failed(self, run: Run) -> None:
        result = run("""
@pytest.fixture
def broken():
    sleeper()
    raise RuntimeError("mine")

def test_leaks(broken): pass
""")
        assert counts(result) == {"errors": 2}

    def test_kept_by_the_traceback_of_a_failure_fails_nothing_more(self, run: Run) -> None:
        result = run("""
def test_fails():
    server = socket.create_server(("127.0.0.1", 0))
    folder = tempfile.TemporaryDirectory()
    assert 0

def test_after(): pass
""")
        assert counts(result) == {"passed": 1, "failed": 1}
        assert [line.rpartition(" - ")[2] for line in section(result)[1:]] == [
            "the test itself failed, and its traceback may keep this alive"
        ] * 2


CLEAN = """
import asyncio, concurrent.futures, threading, warnings

def test_folder(tmp_path, tmp_path_factory):
    (tmp_path / "one").write_text("one")
    tmp_path_factory.mktemp("two")
    os.close(tempfile.mkstemp(dir=tmp_path)[0])

def test_temporary():
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
        Path(folder, "one").touch()

def test_garbage():
    class Cycle: pass
    cycle = Cycle()
    cycle.cycle, cycle.server = cycle, socket.create_server(("127.0.0.1", 0))
    cycle.folder = tempfile.TemporaryDirectory()
    warnings.simplefilter("ignore")

def test_child():
    subprocess.run(["true"], check=True)

def test_memory():
    memory = shared_memory.SharedMemory(create=True, size=100)
    memory.close()
    memory.unlink()

def test_loop():
    asyncio.run(asyncio.create_subprocess_exec("true") if False else asyncio.sleep(0))

def test_pool():
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]

def test_settles():
    subprocess.run(["sh", "-c", "sleep 0.3 &"], stdout=subprocess.DEVNULL)

def test_is_waited_for_later():
    process = subprocess.Popen(["sleep", "0.3"])
    threading.Thread(target=process.wait, daemon=True).start()

def test_folder_that_was_there():
    Path(os.environ["HERE"], "one").write_text("one")

def test_bytecode():
    Path(tempfile.gettempdir(), "__pycache__").mkdir()

def test_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def test_descriptor():
    kept.append(open(os.devnull))
    kept.append(socket.socketpair())

def test_in_the_project():
    Path(__file__).with_name("made.txt").write_text("made")
"""


class TestCleanTests:
    @pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "workers"])
    def test_pass(self, run: Run, arguments: tuple[str, ...]) -> None:
        result = run(CLEAN, *arguments)
        assert counts(result) == {"passed": CLEAN.count("def test_")}
        # Of other programs' shared memory it may want to know who uses it, and not be allowed to.
        assert [line for line in section(result) if not line.startswith(("helpers", "not looked"))] == []

    def test_of_a_project_below_the_temporary_folder_may_write_there(self, run: Run, gated: Inner) -> None:
        places = {"TMPDIR": str(gated.folder.parent)}
        gated.write("test_mine.py", "from helpers import *\ndef test_writes(): Path('made.txt').touch()\n")
        assert counts(gated.run("--tfkernel-gate", **places)) == {"passed": 1}
        gated.write("test_mine.py", "from helpers import *\ndef test_leaks(): tempfile.mkdtemp(dir='.')\n")
        assert blamed(gated.run("--tfkernel-gate", **places)) == ["test_leaks"]


ALONE = "from pytest_tfkernel.gate import neighbours\nneighbours.are_there = lambda: {are_there}\n"
MAKES = """
MEMORY = f"/dev/shm/tfkernel-{os.getpid()}"

def test_before(): pass

def test_makes():
    by_a_child(f"open('{MEMORY}', 'w').close()")
    atexit.register(os.unlink, MEMORY)

def test_after(): pass
"""
# Another program makes it while the test runs.
HAPPENS = """
MEMORY = f"/dev/shm/tfkernel-{os.getpid()}"

@pytest.fixture(scope="session", autouse=True)
def stranger():
    process = subprocess.Popen([sys.executable, "-c", f"input(); open('{MEMORY}', 'w').close()"], stdin=-1)
    yield process
    os.unlink(MEMORY)
    process.wait()

def test_innocent(stranger):
    stranger.stdin.write(b"go\\n"), stranger.stdin.close()
    # Until it has ended, and waited for by nobody.
    os.waitid(os.P_PID, stranger.pid, os.WEXITED | os.WNOWAIT)

def test_last(): pass
"""


class TestWhatADeadProcessHasMade:
    """Such a thing names nobody: it is the test's only where nobody else can have made it."""

    @pytest.mark.parametrize(
        ("are_there", "arguments", "names"),
        [(False, (), ["test_makes"]), (True, (), []), (False, ("-n", "2"), [])],
        ids=["alone", "another session", "another worker"],
    )
    def test_blames_the_test_where_it_is_alone(
        self, run: Run, gated: Inner, are_there: bool, arguments: tuple[str, ...], names: list[str]
    ) -> None:
        gated.write("alone.py", ALONE.format(are_there=are_there))
        result = run(MAKES, "-p", "alone", *arguments)
        assert (blamed(result), counts(result)["passed"]) == (names, 3)

    def test_blames_no_test_that_had_no_processes(self, run: Run, gated: Inner) -> None:
        gated.write("alone.py", ALONE.format(are_there=False))
        result = run(HAPPENS, "-p", "alone")
        assert (blamed(result), counts(result)) == ([], {"passed": 2})
