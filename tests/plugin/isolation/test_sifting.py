"""Files that make a fork unsafe are told from all others, whose processes are forked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from inner import Inner, counts
from pytest_tfkernel.plugin.isolation.forks import CannotBeginError
from pytest_tfkernel.plugin.isolation.peers import DiedError, ProcessDeath
from pytest_tfkernel.plugin.isolation.sifting import Gathered, Sifter, Unsafe

THREAD = "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True, name='{}').start()\n"
CHILD = "import atexit, subprocess\nchild = subprocess.Popen(['sleep', '61'])\natexit.register(child.kill)\n"
PASSES = "def test_passes(): pass\n"
# By the words that are told of each; None where nothing is.
FILES = {
    "inside/conftest.py": (THREAD.format("of the folder"), None),
    "inside/test_folder.py": (PASSES, "lose: of the folder"),
    "test_a.py": (PASSES * 2, None),
    "test_b.py": (
        (
            "import helper, pytest\nclass TestOne:\n    @pytest.mark.parametrize('nth', [1, 2])\n"
            "    def test(self, nth): assert helper.child\n"
        ),
        "1 process(es)",
    ),
    "test_c.py": (
        "import sys\nimport clean\ndef test_c(request): assert ('helper' in sys.modules) != hasattr(request.config, 'workerinput')\n",
        None,
    ),
    "test_d.py": ("from helper import child\ndef test_d(): assert child\n", "1 process(es)"),
    "test_e.py": (PASSES, None),
    # Something is done when the class in it is collected, and not when it is imported.
    "test_f.py": (
        "import pytest\nclass TestOne:\n    def test(self, number): assert number == 1\n"
        "def pytest_generate_tests(metafunc):\n"
        + "".join(f"    {line}\n" for line in THREAD.format("of the class").splitlines())
        + "    metafunc.parametrize('number', [1])\n",
        "lose: of the class",
    ),
    "test_g.py": ("import clean\n" + PASSES, None),
    "test_h.py": ("import clean\n" + PASSES, None),
    "test_i.py": ("import clean\n" + PASSES, None),
    "test_j.py": ("import clean\n" + PASSES, None),
    "test_k.py": ("import clean\n" + PASSES, None),
}
ALSO = {"helper.py": CHILD, "clean.py": ""}


def lines(run: pytest.RunResult) -> list[str]:
    """What is told of each test, in order, without how far it is."""
    return [line.rpartition(" [")[0].strip() for line in run.outlines if re.match(r"\S+::\S+ [A-Z]+ ", line)]


def told(run: pytest.RunResult) -> dict[str, str]:
    """What `-v` says of each file."""
    found = [re.fullmatch(r"  (\S+): (forked|cold: .*)", line) for line in run.outlines]
    return {one[1]: one[2] for one in found if one is not None}


@pytest.fixture
def mixed(inner: Inner) -> Inner:
    for name, (text, _) in FILES.items():
        inner.write(name, text)
    for name, text in ALSO.items():
        inner.write(name, text)
    inner.write("pytest.ini", "[pytest]\npythonpath = .\n")
    return inner


def test_only_they_are_cold_and_the_order_stays(mixed: Inner) -> None:
    plain = mixed.run("-v")
    run = mixed.run("-v", "--tfkernel-isolate")
    assert counts(run) == counts(plain) == {"passed": 13}
    assert lines(run) == lines(plain)
    seen = told(run)
    assert set(seen) == {name for name in FILES if "conftest" not in name}
    for name, how in seen.items():
        words = FILES[name][1]
        if words is None:
            assert how == "forked", name
        else:
            assert how.startswith("cold: what was imported started "), name
            assert how.endswith(words), name


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        # What is left out isn't missed, where somebody has named it.
        (("test_a.py", "test_b.py::TestOne::test[2]", "test_c.py", "test_d.py::test_d", "test_g.py::test_passes"), 5),
        (("-k", "passes or c or d", "-n", "2", "--dist", "loadfile"), 10),
    ],
)
def test_whatever_chooses_tests(mixed: Inner, arguments: tuple[str, ...], number: int) -> None:
    run = mixed.run("-v", "--tfkernel-isolate=test", *arguments)
    assert counts(run)["passed"] == number
    seen = told(run)
    assert {name: how == "forked" for name, how in seen.items()} == {name: FILES[name][1] is None for name in seen}


def test_a_file_of_which_others_are_collected_then_is_collected_alone(inner: Inner) -> None:
    inner.write("conftest.py", "def pytest_collection_modifyitems(items): del items[1::2]\n")
    inner.write("test_a.py", THREAD.format("theirs") + "def test_1(): pass\ndef test_2(): pass\ndef test_3(): pass\n")
    inner.write("test_b.py", "def test_1(): pass\ndef test_2(): pass\n")
    inner.write("test_c.py", "def test_1(): pass\n")
    run = inner.run("-v", "--tfkernel-isolate")
    # It is not there when its file is collected alone, either; and that is said.
    assert counts(run) == {"passed": 2, "errors": 1}
    assert told(run)["test_b.py"] == "cold: other tests of it are collected where some files are left out"


class Process:
    """Collects what a script says: what each file does to it."""

    alive = 0

    def __init__(self, files: dict[str, str], place: int = 0, out: tuple[str, ...] = ()) -> None:
        self.files, self.place, self.out = files, place, out
        self.asked = 0
        self.reason: str | None = None
        Process.alive += 1

    def fork(self) -> Process:
        return Process(self.files, self.place, self.out)

    def bury(self) -> None:
        Process.alive -= 1

    def send(self, message: dict[str, Any]) -> None:
        if message["kind"] == "collect":
            self.request = message
            self.out = tuple(message["without"])
        elif message["kind"] == "leave-out":
            self.out += (list(self.files)[self.place],)
        self.request = getattr(self, "request", {"asks": True, "known": []})

    def told(self, _: object) -> Iterator[dict[str, Any]]:
        names = list(self.files)
        while self.place < len(names):
            name = names[self.place]
            if self.request["asks"] and name not in self.request["known"] and name not in self.out:
                self.asked += 1
                yield {"kind": "asks", "path": name}
            does = "" if name in self.out else self.files[name]
            if does == "dies":
                raise DiedError(ProcessDeath(SimpleNamespace(headline=lambda: "died of SIGSEGV")))  # type: ignore[arg-type]
            if does == "usage":
                yield {"kind": "usage"}
                return
            if does and self.reason is None:
                self.reason = does
                yield {"kind": "unsafe", "path": name if does != "folder" else "/", "reason": does}
            self.place += 1
        items = [described(name) for name in names if name not in self.out]
        yield {"kind": "collected", "items": items, "unsafe": self.reason, "left": None}


def described(name: str) -> dict[str, str]:
    """As one is told."""
    return {"path": name, "nodeid": f"{name}::test"}


def sift(files: dict[str, str], first: str, *, room: bool = True) -> tuple[Any, Unsafe]:
    """As after all were collected."""
    unsafe = Unsafe()
    unsafe.add(first, files[first])
    harmless = list(files)[: list(files).index(first)]

    def fork(peer: Process, **_: object) -> Process:
        if not room:
            raise CannotBeginError("no room")
        return peer.fork()

    forks: Any = SimpleNamespace(fork=fork)
    begin: Any = lambda: Process(files)  # noqa: E731
    Process.alive = 0
    peer = Sifter(forks, begin, Gathered([described(name) for name in files], len(files), harmless, []), unsafe).sift()
    assert Process.alive == (peer is not None)
    return peer, unsafe


def test_what_is_below_a_folder_is_in_it() -> None:
    unsafe = Unsafe()
    unsafe.add("/tests/inside", "why")
    unsafe.add("/tests/inside", "why not")
    assert [unsafe.why(path) for path in ("/tests/inside/test_a.py", "/tests/inside", "/tests/inside_out.py")] == [
        "why",
        "why",
        None,
    ]


@pytest.mark.parametrize("does", ["threads", "dies"])
def test_whatever_a_file_does_its_fork_goes_on_without_it(does: str) -> None:
    peer, unsafe = sift({"a": "", "b": "threads", "c": "", "d": does, "e": ""}, "b")
    assert peer.out == ("b", "d")
    assert [unsafe.why(name) is None for name in "abcde"] == [True, False, True, False, True]


def test_files_that_were_harmless_are_not_asked_about() -> None:
    peer, _ = sift({"a": "", "b": "", "c": "threads", "d": ""}, "c")
    # Each time it is asked, the one that goes on is the first one.
    assert peer.asked == 1


def test_where_most_do_it_no_more_are_tried() -> None:
    files = dict.fromkeys(map(str, range(10, 30)), "threads") | {"9": ""}
    peer, unsafe = sift(files, "10")
    assert peer is None
    reasons = [unsafe.why(name) for name in files]
    assert reasons.count("threads") == 8
    assert all(reasons)
    # What was found before stays.
    peer, unsafe = sift({"a": "", **files}, "10")
    assert peer is not None
    assert unsafe.why("a") is None


@pytest.mark.parametrize(
    ("files", "room"),
    [
        ({"a": "threads"}, True),
        ({"a": "threads", "b": "usage"}, True),
        ({"a": "threads", "b": ""}, False),
    ],
)
def test_where_nothing_is_gained_there_is_none(files: dict[str, str], room: bool) -> None:
    peer, unsafe = sift(files, "a", room=room)
    assert peer is None
    assert unsafe.why("a") == "threads"


def test_what_is_told_of_another_file_than_was_asked_about_begins_anew() -> None:
    peer, unsafe = sift({"a": "threads", "b": "folder", "c": ""}, "a")
    assert peer is None
    assert unsafe.paths[:2] == ["a", "/"]
