"""The gate: what appears is of the one in whose turn it appears, of none before and of none after."""

from __future__ import annotations

import pytest

from gated import Run, blamed, section
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
    if nodeid.endswith("::test_before_the_gap"):
        {gap}
"""
CODE = """
from more import *

@pytest.fixture(scope="module")
def outer():
    {outer_setup}
    yield
    {outer_teardown}

@pytest.fixture(scope="module")
def inner(outer):
    {inner_setup}
    yield
    {inner_teardown}

def test_first(): pass

def test_leaks(request):
    {test}

def test_before_the_gap(): pass
def test_after_the_gap(): pass

def test_asks(request):
    {before_asking}
    request.getfixturevalue("inner")
    {after_asking}

def test_last(): pass
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


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("thing", THINGS)
def test_whose_turn_it_was(run: Run, gated: Inner, thing: str, place: str) -> None:
    gated.write("more.py", f"from helpers import *\n{MORE}")
    places = {**dict.fromkeys(PLACES, "pass"), place: THINGS[thing]}
    gated.write("conftest.py", CONFTEST.format(**places))
    result = run(CODE.format(**places))
    tests, fixtures = PLACES[place]
    assert blamed(result) == tests
    lines = [line for line in result.outlines if line.startswith("left behind")]
    assert [line.split("'")[1] for line in lines if " by the fixture " in line] == fixtures
    assert len(lines) == len(tests)
    if place == "gap":
        # A thread may be another plugin's, which ends it with the session.
        told = section(result)[:1]
        assert told == ([] if thing == "thread" else ["outside of tests"])
