"""The gate beside other plugins."""

from __future__ import annotations

import pytest

from gated import STRAYS, WIDE, Run, blamed, end, section
from inner import Inner, counts


class TestWorkers:
    def test_blame_the_right_test(self, run: Run) -> None:
        result = run(
            """
@pytest.mark.parametrize("number", range(20))
def test_some(number):
    if number % 5 == 0:
        sleeper(), daemon(), shared(), tempfile.mkdtemp()
    time.sleep(0.05)
""",
            "-n",
            "2",
        )
        assert sorted(blamed(result)) == sorted(f"test_some[{number}]" for number in (0, 5, 10, 15))
        assert counts(result) == {"passed": 20, "errors": 4}
        assert len([line for line in section(result) if line.startswith("  left behind: ")]) == 16

    def test_blame_no_test_for_what_a_dead_child_has_made(self, run: Run) -> None:
        result = run(
            """
def test_makes():
    by_a_child('open("/dev/shm/tfkernel-test", "w").close()')
    atexit.register(os.unlink, '/dev/shm/tfkernel-test')

@pytest.mark.parametrize("number", range(10))
def test_other(number): time.sleep(0.1)
""",
            "-n",
            "2",
        )
        assert counts(result) == {"passed": 11}
        result.stdout.fnmatch_lines(
            [STRAYS, "  shared-memory /dev/shm/tfkernel-test; running at the time: *test_mine.py::test_makes*"]
        )

    def test_know_the_helpers_of_each_other(self, run: Run) -> None:
        result = run(
            """
@pytest.mark.parametrize("number", range(10))
def test_some(number):
    folder = Path(f"/dev/shm/joblib_memmapping_folder_{os.getpid()}")
    if not folder.exists():
        folder.mkdir()
        atexit.register(folder.rmdir)
    time.sleep(0.1)
""",
            "-n",
            "2",
        )
        assert counts(result) == {"passed": 10}
        assert "joblib_memmapping" not in result.stdout.str()

    def test_what_a_wide_fixture_leaves_is_told_once_for_each(self, run: Run) -> None:
        result = run(WIDE.format(scope="session", autouse=True, teardown="kept.append(listening)"), "-n", "2")
        assert len([line for line in section(result) if line.startswith("fixture 'server' ")]) == 2


class TestOtherPlugins:
    def test_rerun_is_looked_at_anew(self, gated: Inner, run: Run) -> None:
        pytest.importorskip("pytest_rerunfailures")
        object.__setattr__(gated, "plugins", ("rerunfailures",))
        code = """
turns = []

def test_leaks_once():
    turns.append(1)
    if len(turns) == 1:
        sleeper()

def test_leaks_always():
    sleeper()

def test_fails_and_leaks_once():
    turns.append(2)
    if turns.count(2) == 1:
        sleeper()
        assert 0
"""
        result = run(code, "--reruns", "1", "-rR")
        assert counts(result)["rerun"] >= 3
        assert blamed(result) == ["test_leaks_always"]
        owners = [line for line in section(result) if line.startswith("test_mine")]
        assert sorted(owners) == [
            "test_mine.py::test_fails_and_leaks_once",
            "test_mine.py::test_leaks_always",
            "test_mine.py::test_leaks_always",
            "test_mine.py::test_leaks_once",
        ]

    @pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "workers"])
    def test_timeout_ends_a_test_that_is_looked_at_all_the_same(self, run: Run, arguments: tuple[str, ...]) -> None:
        pytest.importorskip("pytest_timeout")
        result = run(
            """
@pytest.mark.timeout(0.5)
def test_hangs():
    sleeper()
    time.sleep(60)

def test_after(): pass
""",
            *arguments,
        )
        assert counts(result) == {"passed": 1, "failed": 1, "errors": 1}
        assert blamed(result) == ["test_hangs"]

    def test_loops_of_asyncio_are_no_leak_and_tasks_that_leak_are(self, gated: Inner, run: Run) -> None:
        pytest.importorskip("pytest_asyncio", minversion="0.24")
        object.__setattr__(gated, "plugins", ("asyncio",))
        result = run("""
import asyncio
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server():
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    yield server
    server.close()

async def test_clean(server):
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()

async def test_leaks():
    kept.append(await asyncio.start_server(lambda *_: None, "127.0.0.1", 0))

async def test_after(server): pass
""")
        assert blamed(result) == ["test_leaks"]
        assert counts(result) == {"passed": 3, "errors": 1}

    def test_items_of_ours_are_not_looked_at(self, canned: Inner) -> None:
        canned.write(
            "conftest.py",
            """
import subprocess
kept = []

def pytest_runtest_call(item):
    kept.append(subprocess.Popen(["sleep", "300"]))
""",
        )
        canned.write("test_mine.py", "def test_leaks(): pass\n")
        result = canned.run(
            ".", "--tfkernel", "--tfkernel-gate", "-k", "leaks or graph-add[forkserver-graph_add-none-idle]"
        )
        for line in section(result):
            if "sleep 300" in line:
                end(int(line.split()[3]))
        assert blamed(result) == ["test_leaks"]
        assert counts(result)["errors"] == 1
        assert section(result)[2] == "outside of tests"
