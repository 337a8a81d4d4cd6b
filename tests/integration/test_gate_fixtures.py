"""The gate: a fixture wider than one test may hold what it ends."""

from __future__ import annotations

import itertools

import pytest

from gated import ENDS, WIDE, Run, blamed, section
from inner import counts


class TestFixtureWiderThanATest:
    def test_may_hold_what_it_ends(self, run: Run) -> None:
        kinds = itertools.product(["session", "package", "module", "class"], [False, True])
        codes = {
            f"{scope}_{autouse}": WIDE.format(scope=scope, autouse=autouse, teardown=ENDS) for scope, autouse in kinds
        }
        result = run(codes)
        assert counts(result) == {"passed": 3 * len(codes)}
        assert section(result) == []

    @pytest.mark.parametrize(
        ("scope", "last"),
        [
            ("session", ["test_three"]),
            ("module", ["test_three"]),
            ("class", ["TestOne.test_two", "TestTwo.test_three"]),
        ],
    )
    def test_is_blamed_by_its_name_when_it_is_torn_down(self, run: Run, scope: str, last: list[str]) -> None:
        result = run(WIDE.format(scope=scope, autouse=False, teardown="kept.append(listening)"))
        assert [name.split(".")[-1] for name in blamed(result)] == [name.split(".")[-1] for name in last]
        lines = [line for line in result.outlines if line.startswith("left behind by the fixture 'server' ")]
        assert len(lines) == 3 * len(last)
        assert all(f"(scope {scope} of test_mine.py)" in line for line in lines)

    def test_is_blamed_for_what_its_teardown_starts(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="module")
def inner():
    yield
    sleeper()

@pytest.fixture(scope="session")
def outer(inner=None):
    yield
    sleeper()

def test_one(inner, outer): pass
""")
        lines = [line for line in result.outlines if line.startswith("left behind")]
        assert [line.split("'")[1] for line in lines] == ["inner", "outer"]

    def test_may_start_its_processes_when_they_are_first_needed(self, run: Run) -> None:
        result = run(
            """
import concurrent.futures

@pytest.fixture(scope="module")
def pool():
    pool = concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    yield pool
    {}

def test_first(pool):
    assert pool.submit(abs, -1).result() == 1

def test_second(pool): pass

@pytest.fixture(scope="module")
def factory():
    made = []
    yield lambda: made.append(sleeper())
    for process in made:
        end(process)

def test_third(factory):
    factory()

def test_fourth(factory): pass

@pytest.fixture(scope="module")
def starter():
    return []

def test_holder(starter):
    starter.append(sleeper())
""".format("pool.shutdown()")
        )
        assert blamed(result) == ["test_holder"]
        result.stdout.fnmatch_lines(["left behind by the fixture 'starter' (scope module of test_mine.py): process *"])

    def test_set_up_anew_within_another_one_leaves_that_ones_turn_alone(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="module", params=[1, 2])
def inner(request):
    yield

@pytest.fixture(scope="session")
def outer(request):
    request.getfixturevalue("cheap")
    process = sleeper()
    yield
    end(process)

@pytest.fixture(scope="session")
def cheap(): yield

def test_one(inner, outer): pass
""")
        assert counts(result) == {"passed": 2}
        assert section(result) == []

    def test_that_fails_is_blamed_too(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="module")
def server():
    sleeper()
    raise RuntimeError("mine")

def test_one(server): pass
def test_two(server): pass
""")
        assert counts(result) == {"errors": 3}
        result.stdout.fnmatch_lines(["left behind by the fixture 'server' (scope module of test_mine.py): process *"])

    def test_made_of_a_setup_function_has_a_name_that_says_so(self, run: Run) -> None:
        result = run("def setup_module(): sleeper()\n\ndef test_one(): pass\n")
        assert blamed(result) == ["test_one"]
        result.stdout.fnmatch_lines(["left behind by the setup and teardown (*setup_module*test_mine.py): process *"])

    def test_torn_down_after_an_interrupted_test_is_told(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="session")
def server():
    sleeper()

def test_one(server):
    tempfile.mkdtemp()
    pytest.exit("enough")
""")
        assert [line for line in section(result) if not line.startswith("  ")] == [
            "test_mine.py::test_one",
            "fixture 'server' (scope session of test_mine.py)",
        ]
