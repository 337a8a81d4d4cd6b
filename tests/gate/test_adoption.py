"""Whether the children of pytest's process may be somebody else's orphans."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from pytest_tfkernel._child import system
from pytest_tfkernel.gate import adoption

# Whether one adopts, before and after it has become a subreaper.
ASK = """
import sys
sys.path[:] = {path!r}
from pytest_tfkernel._child import process
from pytest_tfkernel.gate import adoption
before = adoption.adopts()
process.become_subreaper()
print(before, adoption.adopts())
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_a_subreaper_does_and_another_process_does_not() -> None:
    code = ASK.format(path=sys.path)
    said = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "True"]


def test_process_1_does(monkeypatch: pytest.MonkeyPatch) -> None:
    import ctypes

    # Nobody is asked.
    monkeypatch.setattr(ctypes, "CDLL", None)
    monkeypatch.setattr(system, "pid", lambda: 1)
    assert adoption.adopts()


class TestAChildThatIsWaitedFor:
    def test_is_one_of_an_object_that_has_not_seen_its_end(self, sleeper: subprocess.Popen[bytes]) -> None:
        assert adoption.is_waited_for(sleeper.pid)
        assert not adoption.is_waited_for(1)

    def test_is_none_any_more_when_it_was(self, sleeper: subprocess.Popen[bytes]) -> None:
        sleeper.kill()
        sleeper.wait()
        assert not adoption.is_waited_for(sleeper.pid)

    def test_is_known_by_the_class_whoever_wrote_it(self) -> None:
        class Popen:
            def __init__(self) -> None:
                self.pid, self.returncode = 5_000_001, None

        class Other(Popen):
            def __init__(self) -> None:
                super().__init__()
                self.pid = 5_000_002

        kept = Popen(), Other()
        assert [adoption.is_waited_for(one.pid) for one in kept] == [True, False]


@pytest.mark.parametrize(
    ("pid", "count", "begins", "advice"),
    [
        (1, 1, "1 zombie that nobody waits for: pytest is process 1", "(docker run --init)"),
        (
            7,
            2,
            "2 zombies that nobody waits for: a test or a plugin has made pytest's process a subreaper",
            "their children",
        ),
    ],
)
def test_a_person_is_told_why(monkeypatch: pytest.MonkeyPatch, pid: int, count: int, begins: str, advice: str) -> None:
    monkeypatch.setattr(system, "pid", lambda: pid)
    assert adoption.words(count).startswith(begins)
    assert (advice in adoption.words(count)) is (pid == 1)
