"""The gate: what the end of pytest would wait for in pytest's own process, and descriptors that nobody closes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gated import Run, blamed, section, told
from inner import Inner, counts

# Each is in the way until `release` is called, after all was told.
CONFTEST = """
import sys, pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import helpers_of_threads

def pytest_unconfigure():
    for release in helpers_of_threads.releases: release()
"""
THREADS = """
import threading, multiprocessing, concurrent.futures, time

releases, kept = [], []
gate = threading.Event()
releases.append(gate.set)

def start(daemon=False, target=gate.wait, **options):
    kept.append(threading.Thread(target=target, daemon=daemon, **options))
    kept[-1].start()

def unread(queue=None, cancel=False):
    queue = queue or multiprocessing.Queue()
    kept.append(queue)
    releases.append(queue.cancel_join_thread)
    queue.put("x" * (1 << 20))
    if cancel:
        queue.cancel_join_thread()
    # Until it is in the middle of that, and the pipe is full.
    while not queue._reader.poll(): time.sleep(0.01)
    return queue

def pool():
    pool = concurrent.futures.ThreadPoolExecutor(1)
    kept.append(pool)
    return pool
"""
LEFT = {
    "thread": "start(name='mine')",
    "timer": "kept.append(threading.Timer(300, print)); kept[-1].start(); releases.append(kept[-1].cancel)",
    "busy_pool": "pool().submit(gate.wait)",
    "subclass": "class Odd(threading.Thread):\n        __eq__ = lambda *_: True\n        __hash__ = lambda _: 1\n        run = lambda _: gate.wait()\n    Odd().start()",
    "queue": "unread()",
    "joinable_queue": "unread(multiprocessing.JoinableQueue())",
    "queue_that_is_gone": "unread(); kept.clear()",
}
CLEAN = {
    "daemon": "start(daemon=True)",
    "joined": "start(target=print); kept[-1].join()",
    "ends_soon": "start(target=lambda: time.sleep(0.3))",
    "idle_pool": "pool().submit(print).result()",
    "pool_that_is_gone": "concurrent.futures.ThreadPoolExecutor(1).submit(print).result()",
    "read_queue": "queue = unread(); assert len(queue.get()) == 1 << 20",
    "short_queue": "kept.append(multiprocessing.Queue()); kept[-1].put(1)",
    "cancelled_queue": "unread(cancel=True)",
    "simple_queue": "kept.append(multiprocessing.SimpleQueue()); kept[-1].put(1)",
    "low_level": "import _thread; _thread.start_new_thread(gate.wait, ())",
}


@pytest.fixture
def threads(gated: Inner, run: Run) -> Run:
    """Run a test file where threads are released when all is told."""
    gated.write("conftest.py", CONFTEST)
    gated.write("helpers_of_threads.py", THREADS)
    return lambda code, *rest: run(f"from helpers_of_threads import *\n{code}", *rest)


def _together(run_together: Callable[..., pytest.RunResult], codes: dict[str, str], code: str) -> pytest.RunResult:
    files = {name: f"from helpers_of_threads import *\n{code.format(name, one)}" for name, one in codes.items()}
    return run_together(files, {"conftest.py": CONFTEST, "helpers_of_threads.py": THREADS})


@pytest.fixture(scope="module")
def left(run_together: Callable[..., pytest.RunResult]) -> pytest.RunResult:
    code = "def test_before_{0}(): pass\n\ndef test_leaks_{0}():\n    {1}\n\ndef test_after_{0}(): pass\n"
    return _together(run_together, LEFT, code)


class TestThreads:
    @pytest.mark.parametrize("name", LEFT)
    def test_that_the_end_of_pytest_would_wait_for_fail_their_test(self, left: pytest.RunResult, name: str) -> None:
        (line,) = told(left)[f"test_{name}.py::test_leaks_{name}"]
        assert line.startswith("left behind: thread ")
        assert "pytest can't exit before it ends: " in line

    def test_fail_no_other_one(self, left: pytest.RunResult) -> None:
        assert sorted(blamed(left)) == sorted(f"test_leaks_{name}" for name in LEFT)
        assert counts(left) == {"passed": 3 * len(LEFT), "errors": len(LEFT)}
        assert len([line for line in left.outlines if line.startswith("left behind: ")]) == len(LEFT)

    def test_that_nothing_waits_for_fail_nobody(self, run_together: Callable[..., pytest.RunResult]) -> None:
        result = _together(run_together, CLEAN, "def test_clean_{0}():\n    {1}\n\ndef test_after_{0}(): pass\n")
        assert counts(result) == {"passed": 2 * len(CLEAN)}
        assert section(result) == []

    def test_are_told_with_name_and_place(self, threads: Run) -> None:
        result = threads("def work():\n    gate.wait()\n\ndef test_leaks(): start(target=work, name='mine\\n')\n")
        (line,) = [line for line in result.outlines if line.startswith("left behind: ")]
        assert line.startswith(
            r"left behind: thread mine\n (pytest can't exit before it ends: it is not a daemon thread; it is at "
        )

    def test_are_allowed_by_a_marker_and_known_by_their_names(self, threads: Run, gated: Inner) -> None:
        gated.write("pytest.ini", "[pytest]\ntfkernel_gate_known = thread:known-*\n")
        result = threads("""
@pytest.mark.tfkernel_allow_leak("thread", reason="ends with the session")
def test_allowed(): start()

def test_known(): start(name="known-one")
""")
        assert counts(result) == {"passed": 2}
        assert section(result) == ["helpers that live as long as pytest, by design: 1 x thread known-*"]

    def test_of_a_test_that_failed_count_as_well(self, threads: Run) -> None:
        assert blamed(threads("def test_leaks():\n    start()\n    assert 0\n")) == ["test_leaks"]

    def test_that_a_fixture_ends_are_its_own(self, threads: Run) -> None:
        result = threads("""
class Server:
    def __init__(self):
        self.stop, self.thread = threading.Event(), None
    def begin(self):
        self.thread = threading.Thread(target=self.stop.wait)
        self.thread.start()

@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop.set()
    server.thread.join()

@pytest.fixture(scope="module")
def eager():
    server = Server()
    server.begin()
    yield
    server.stop.set()
    server.thread.join()

@pytest.fixture(scope="module")
def queue():
    queue = multiprocessing.Queue()
    yield queue
    assert queue.get()

def test_begins(server, eager, queue):
    server.begin()
    unread(queue)

def test_other(server, eager, queue): pass
""")
        assert counts(result) == {"passed": 2}
        assert section(result) == []

    def test_that_a_fixture_leaves_blame_it(self, threads: Run) -> None:
        result = threads("""
@pytest.fixture(scope="module")
def server():
    start()

def test_one(server): pass
def test_two(server): pass
""")
        assert blamed(result) == ["test_two"]
        result.stdout.fnmatch_lines(["left behind by the fixture 'server' (scope module of test_mine.py): thread *"])

    def test_of_workers_are_told(self, threads: Run) -> None:
        assert blamed(threads("def test_leaks(): start()\n\ndef test_after(): pass\n", "-n", "1")) == ["test_leaks"]


GROWS = """
@pytest.mark.parametrize("number", range(10))
def test_opens(number): kept.extend(open(os.devnull) for _ in range(4))

def test_closes():
    with open(os.devnull): pass

def test_opens_for_a_while():
    global more
    more = [open(os.devnull) for _ in range(50)]

def test_closes_them():
    for one in more: one.close()
"""


class TestDescriptors:
    def test_that_nobody_closes_are_told_and_fail_nobody(self, run: Run) -> None:
        result = run(GROWS)
        assert counts(result) == {"passed": 13}
        (line,) = section(result)
        begin = "tests have opened 40 descriptors in pytest's process that nobody has closed, such as /dev/null;"
        assert line.startswith(f"{begin} they were opened in test_mine.py::test_opens[")
        assert line.endswith(" and 5 more")

    def test_of_fixtures_count_when_they_have_ended(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="session")
def files():
    files = [open(os.devnull) for _ in range(50)]
    yield files
    for file in files: file.close()

@pytest.fixture(scope="session")
def leaky():
    kept.extend(open(os.devnull) for _ in range(20))

def test_one(files): pass
def test_two(leaky): pass
""")
        assert counts(result) == {"passed": 2}
        (line,) = section(result)
        assert "have opened 20 descriptors" in line
        assert line.endswith("they were opened in fixture 'leaky' (scope session of test_mine.py) (20)")

    def test_of_imports_and_few_are_nothing(self, run: Run) -> None:
        result = run("kept += [open(os.devnull) for _ in range(50)]\ndef test_one(): kept.append(open(os.devnull))\n")
        assert section(result) == []

    def test_of_kernels_that_come_and_go_are_the_sessions_own(self, run: Run) -> None:
        pytest.importorskip("multiprocess")
        result = run("""
from pytest_tfkernel import ForkServer

@pytest.mark.parametrize("module", ["json", "csv", "queue", "cmd"])
def test_servers(tfkernel_factory, module):
    tfkernel_factory(provisioner=ForkServer(preload=(module,))).execute("1")

@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_hosts(tfkernel_factory, method):
    tfkernel_factory(provisioner="multiprocess-" + method).execute("1")
""")
        assert counts(result) == {"passed": 7}
        assert [line for line in section(result) if "descriptors" in line] == []
