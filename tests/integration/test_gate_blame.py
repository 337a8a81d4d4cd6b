"""The gate: who is blamed where several could be."""

from __future__ import annotations

from gated import Run, blamed
from inner import Inner, counts


def test_marker_of_a_test_excuses_no_fixture(run: Run) -> None:
    result = run("""
@pytest.fixture(scope="session")
def server():
    yield
    sleeper()

@pytest.mark.tfkernel_allow_leak("process", reason="mine alone")
def test_marked(server): pass
""")
    assert counts(result) == {"passed": 1, "errors": 1}
    assert "left behind by the fixture 'server'" in result.stdout.str()


def test_leak_of_a_test_that_is_to_fail_is_an_error(run: Run) -> None:
    result = run("""
@pytest.mark.xfail(reason="known")
def test_to_fail():
    sleeper()
    assert 0
""")
    assert counts(result) == {"xfailed": 1, "errors": 1}
    assert blamed(result) == ["test_to_fail"]


def test_folder_that_pytest_was_given_for_temporary_files_is_nobodys(run: Run, gated: Inner) -> None:
    base = (gated.folder.parent / "tmp").resolve() / "base"
    code = "def test_one(tmp_path): (tmp_path / 'one').touch()"
    for workers in ((), ("-n", "1")):
        assert counts(run(code, f"--basetemp={base}", *workers)) == {"passed": 1}


def test_file_of_a_database_is_told(run: Run) -> None:
    result = run("""
import sqlite3

def test_makes_a_database():
    connection = sqlite3.connect(os.path.join(tempfile.gettempdir(), "mine.db"))
    connection.execute("create table t(a)")
    connection.close()
""")
    assert counts(result) == {"passed": 1, "errors": 1}
    assert "temporary-file" in result.stdout.str()
    assert "mine.db" in result.stdout.str()


def test_process_of_an_event_loop_is_its_tests(run: Run, gated: Inner) -> None:
    result = run("""
import asyncio

@pytest.fixture(scope="session")
def policy():
    return asyncio.new_event_loop()

async def start():
    process = await asyncio.create_subprocess_exec("sleep", "300")
    note(process.pid)

def test_starts(policy):
    policy.run_until_complete(start())

def test_ends(policy):
    policy.close()
""")
    assert blamed(result) == ["test_starts"]


def test_what_lies_in_a_folder_that_was_told_is_told_with_it(run: Run) -> None:
    result = run("""
def test_leaks(): kept.append(tempfile.mkdtemp())
def test_uses_it(): Path(kept[0], "one").touch()
""")
    assert blamed(result) == ["test_leaks"]


def test_a_fixture_is_blamed_also_after_a_test_that_failed(run: Run) -> None:
    # The traceback of the test keeps what is the test's.
    result = run("""
@pytest.fixture(scope="module")
def server():
    kept.append(socket.create_server(("127.0.0.1", 0)))

def test_fails(server):
    assert 0
""")
    assert counts(result) == {"failed": 1, "errors": 1}
    result.stdout.fnmatch_lines(["left behind by the fixture 'server' *: socket *"])
