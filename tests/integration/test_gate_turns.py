"""The gate: what appears is of the one in whose turn it appears, of none before and of none after."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gated import blamed, leaking, runner, section
from inner import Inner

# Each is told by another part of the gate; none of them depends on who wears which number but the first.
THINGS = {
    "process": "sleeper(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)",
    "process without a number": "kept.append(subprocess.Popen(['prlimit', '--locks=7:', 'sleep', '300'], stdout=-3, stderr=-3)); note(kept[-1].pid)",
    "socket": "kept.append(socket.create_server(('127.0.0.1', 0)))",
    "segment": "segment()",
    "file": "tempfile.mkdtemp()",
    "thread": "thread()",
}
# A thread that ends when all was told.
MORE = """
import threading
released = threading.Event()

def thread():
    threading.Thread(target=released.wait).start()
"""
CONFTEST = """
import sys, pathlib
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from helpers import *
from more import *

def pytest_unconfigure(): released.set()

def pytest_runtest_logfinish(nodeid):
    if nodeid.endswith("::test_before_the_gap_of_gap"):
        {gap}
"""
CODE = """
from more import *

@pytest.fixture(scope="module")
def outer_of_{place}():
    {outer_setup}
    yield
    {outer_teardown}

@pytest.fixture(scope="module")
def inner_of_{place}(outer_of_{place}):
    {inner_setup}
    yield
    {inner_teardown}

def test_first_of_{place}(): pass

def test_leaks_of_{place}(request):
    {test}

def test_before_the_gap_of_{place}(): pass
def test_after_the_gap_of_{place}(): pass

def test_asks_of_{place}(request):
    {before_asking}
    request.getfixturevalue("inner_of_{place}")
    {after_asking}

def test_last_of_{place}(): pass
"""
# Where it appears, and who is to blame: tests, or fixtures by the test after which they end.
PLACES = {
    "test": (["test_leaks"], []),
    "gap": ([], []),
    "before_asking": (["test_asks"], []),
    "after_asking": (["test_asks"], []),
    "outer_setup": (["test_last"], ["outer"]),
    "inner_setup": (["test_last"], ["inner"]),
    "inner_teardown": (["test_last"], ["inner"]),
    "outer_teardown": (["test_last"], ["outer"]),
}


@pytest.fixture(scope="module", params=THINGS)
def thing(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def result(make_inner: Callable[..., Inner], thing: str) -> Iterator[pytest.RunResult]:
    """Of a run in which it appears in each place, in a file of its own; what has appeared before is there still."""
    with leaking(make_inner()) as gated:
        gated.write("more.py", f"from helpers import *\n{MORE}")
        gated.write("conftest.py", CONFTEST.format(gap=THINGS[thing]))
        yield runner(gated)(
            {
                place: CODE.format(place=place, **{**dict.fromkeys(PLACES, "pass"), place: THINGS[thing]})
                for place in PLACES
            }
        )


@pytest.mark.parametrize("place", PLACES)
def test_whose_turn_it_was(result: pytest.RunResult, thing: str, place: str) -> None:
    tests, fixtures = PLACES[place]
    assert [name for name in blamed(result) if name.endswith(f"_of_{place}")] == [f"{one}_of_{place}" for one in tests]
    told = [line.split("'")[1] for line in result.outlines if line.startswith("left behind by the fixture ")]
    assert [name for name in told if name.endswith(f"_of_{place}")] == [f"{one}_of_{place}" for one in fixtures]


def test_each_is_told_once(result: pytest.RunResult, thing: str) -> None:
    lines = [line for line in result.outlines if line.startswith("left behind")]
    assert len(lines) == len(blamed(result)) == sum(len(tests) for tests, _ in PLACES.values())
    # A thread may be another plugin's, which ends it with the session.
    assert section(result).count("outside of tests") == (thing != "thread")
