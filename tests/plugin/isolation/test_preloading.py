"""Which tests find imported what a marker preloads, and what keeps it from them."""

from __future__ import annotations

import pytest

from inner import Inner, counts

# Tells of each process that imports it.
SLOW = "import os\nopen('imports.txt', 'a').write('x')\npid = os.getpid()\n"
THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True, name='theirs').start()\n"
WISHED = "import os, sys, pytest\npytestmark = pytest.mark.tfkernel_isolated(per='test', preload=('slow',))\n"
FOUND = """
def test_first():
    import slow
    assert slow.pid != os.getpid()
def test_second():
    import slow
    assert slow.pid != os.getpid()
"""


@pytest.mark.parametrize("collecting", ["", THREAD], ids=["forked", "collected anew"])
def test_a_module_is_imported_once_for_those_who_wish_for_it(inner: Inner, collecting: str) -> None:
    inner.write("slow.py", SLOW)
    inner.write("test_one.py", WISHED + collecting + FOUND)
    inner.write("test_two.py", "import sys\ndef test_knows_nothing_of_it(): assert 'slow' not in sys.modules\n")
    assert counts(inner.run("--tfkernel-isolate")) == {"passed": 3}
    assert (inner.folder / "imports.txt").read_text(encoding="utf-8") == "x"


def test_a_conftest_may_wish_for_all(inner: Inner) -> None:
    inner.write("slow.py", SLOW)
    inner.write(
        "conftest.py",
        "import pytest\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        item.add_marker(pytest.mark.tfkernel_isolated(preload=('slow',)))\n",
    )
    for name in ("one", "two"):
        inner.write(f"test_{name}.py", f"import os\n{FOUND}")
    assert counts(inner.run("--tfkernel-isolate")) == {"passed": 4}
    assert (inner.folder / "imports.txt").read_text(encoding="utf-8") == "x"


def test_one_that_starts_threads_is_imported_by_each_test(inner: Inner) -> None:
    inner.write("slow.py", SLOW + THREAD)
    inner.write("test_one.py", WISHED + FOUND.replace("!=", "=="))
    run = inner.run("--tfkernel-isolate")
    assert counts(run) == {"passed": 2}
    why = "what was imported started 1 Python thread(s) that a fork would lose: theirs"
    assert f"test_one.py: cold: preload=('slow',): {why} (2 processes)" in run.stdout.str()
    assert (inner.folder / "imports.txt").read_text(encoding="utf-8") == "xxx"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "preload=('slow',): ModuleNotFoundError: No module named 'slow'"),
        ("1 / 0", "preload=('slow',): ZeroDivisionError: division by zero"),
        ("raise SystemExit('stop')", "preload=('slow',): SystemExit: stop"),
        ("import os; os.kill(os.getpid(), 9)", "died of SIGKILL"),
    ],
)
def test_one_that_cannot_be_imported_fails_the_tests_that_wish_for_it(
    inner: Inner, code: str | None, words: str
) -> None:
    if code is not None:
        inner.write("slow.py", code)
    inner.write("test_one.py", WISHED + FOUND)
    inner.write("test_two.py", "def test_other(): pass\n")
    run = inner.run("--tfkernel-isolate")
    outcomes = counts(run)
    assert (outcomes.pop("passed"), sum(outcomes.values())) == (1, 2)
    assert run.stdout.str().count(words) >= 2
