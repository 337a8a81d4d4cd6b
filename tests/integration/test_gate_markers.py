"""The marker `tfkernel_allow_leak`: what may stay, and why."""

from __future__ import annotations

import pytest

from gated import Run, blamed, section
from inner import counts


class TestMarker:
    def test_allows_a_kind_of_leak(self, run: Run) -> None:
        result = run(
            """
@pytest.mark.tfkernel_allow_leak("process", reason="it is meant to stay")
def test_allowed(): sleeper()

@pytest.mark.tfkernel_allow_leak("process", reason="it is meant to stay")
def test_leaks():
    sleeper()
    tempfile.mkdtemp()
""",
            "--strict-markers",
        )
        assert blamed(result) == ["test_leaks"]
        (line,) = [line for line in result.outlines if line.startswith("left behind: ")]
        assert line.startswith("left behind: temporary-file ")

    def test_that_allowed_nothing_is_told(self, run: Run) -> None:
        result = run(
            """
@pytest.mark.tfkernel_allow_leak("socket", "lock", reason="of old")
def test_clean(): pass

@pytest.mark.tfkernel_allow_leak("process", reason="some of these do")
class TestSome:
    def test_clean(self): pass
    def test_leaks(self): sleeper()

@pytest.mark.tfkernel_allow_leak("file" if False else "temporary-file", reason="never ran")
def test_skipped(): pytest.skip()
""",
            "-n",
            "2",
        )
        assert counts(result) == {"passed": 3, "skipped": 1}
        assert [line for line in section(result) if line.startswith("unused")] == [
            f"unused: tfkernel_allow_leak({kind!r}, reason='of old') at test_mine.py::test_clean: nothing was left"
            for kind in ("lock", "socket")
        ]

    @pytest.mark.parametrize(
        ("marker", "message"),
        [
            ("('process')", "the marker tfkernel_allow_leak gives no reason: write it as *"),
            ("('process', reason=' ')", "the marker tfkernel_allow_leak gives no reason: write it as *"),
            ("(reason='x')", "the marker tfkernel_allow_leak names no kind of leak: write it as *"),
            (
                "('proces', reason='x')",
                "the marker tfkernel_allow_leak allows proces: unknown kind; choose from process, *",
            ),
            ("('process', why='x')", "the marker tfkernel_allow_leak takes no 'why': write it as *"),
        ],
    )
    def test_that_makes_no_sense_fails_its_test_in_a_line(self, run: Run, marker: str, message: str) -> None:
        result = run(f"@pytest.mark.tfkernel_allow_leak{marker}\ndef test_mine(): pass\n\ndef test_after(): pass\n")
        assert counts(result) == {"passed": 1, "errors": 1}
        result.stdout.fnmatch_lines(["_* ERROR at setup of test_mine _*", message])

    def test_means_nothing_without_the_gate(self, run: Run) -> None:
        result = run(
            "@pytest.mark.tfkernel_allow_leak('proces')\ndef test_mine(): sleeper()\n", "--strict-markers", option=""
        )
        assert counts(result) == {"passed": 1}

    def test_of_a_test_allows_its_fixtures_to_leak(self, run: Run) -> None:
        result = run("""
pytestmark = pytest.mark.tfkernel_allow_leak("process", reason="it is meant to stay")

@pytest.fixture(scope="module")
def server(): sleeper()

def test_mine(server): pass
""")
        assert counts(result) == {"passed": 1}
        assert section(result) == []
