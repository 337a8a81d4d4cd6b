"""Output in memory that is readable after its writer's death, and doesn't grow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.processes.output.captures import KEPT_BYTES, Capture


@pytest.fixture
def capture() -> Iterator[Capture]:
    capture = Capture("test")
    yield capture
    capture.close()


def test_what_was_written_since_a_mark_is_read(capture: Capture) -> None:
    os.write(capture.descriptor, b"before")
    mark = capture.size()
    os.write(capture.descriptor, b"after")
    assert capture.read(mark, 100) == ("after", 0)
    assert capture.read(0, 7) == ("eafter", 5) or capture.read(0, 7) == ("reafter", 4)


def test_memory_is_given_back_and_the_end_is_kept(capture: Capture) -> None:
    for _ in range(8):
        os.write(capture.descriptor, b"x" * KEPT_BYTES)
    os.write(capture.descriptor, b"end")
    assert os.fstat(capture.descriptor).st_blocks * 512 > 8 * KEPT_BYTES
    assert capture.reclaim()
    assert not capture.reclaim()
    assert os.fstat(capture.descriptor).st_blocks * 512 < 2 * KEPT_BYTES
    text, cut = capture.read(0, 16 * KEPT_BYTES)
    assert len(text) + cut == capture.size()
    assert text.endswith("xend")
    assert "\0" not in text


def test_writers_that_share_it_do_not_overwrite_each_other(capture: Capture) -> None:
    other = os.dup(capture.descriptor)
    os.write(capture.descriptor, b"one ")
    os.write(other, b"two")
    os.close(other)
    assert capture.read(0, 100) == ("one two", 0)


class TestTruncation:
    """Another open file of the same, as that of `/dev/stdout`."""

    def truncate(self, capture: Capture, data: bytes = b"") -> None:
        other = os.open(f"/proc/self/fd/{capture.descriptor}", os.O_WRONLY | os.O_TRUNC)
        os.write(other, data)
        os.close(other)

    def test_what_was_seen_is_counted_and_what_came_then_is_shown(self, capture: Capture) -> None:
        os.write(capture.descriptor, b"x" * 100)
        mark = capture.size()
        os.ftruncate(capture.descriptor, 0)
        assert capture.read(mark, 100) == ("", 0)
        os.write(capture.descriptor, b"new")
        assert capture.read(0, 100) == ("new", 100)
        assert capture.read(mark, 100) == ("new", 0)

    @pytest.mark.parametrize("before", [b"", b"earlier cells\n"])
    def test_what_nobody_had_seen_is_counted(self, capture: Capture, before: bytes) -> None:
        os.write(capture.descriptor, before)
        mark = capture.size()
        os.write(capture.descriptor, b"before\n")
        self.truncate(capture, b"C\n")
        assert capture.read(mark, 100) == ("C\n", 7)
        assert capture.read(0, 100) == ("C\n", 7 + len(before))
        assert capture.size() == len(before) + 9

    @pytest.mark.parametrize("earlier", [b"", b"x" * 1000])
    @pytest.mark.parametrize("more", [b"!", b"more than there was"])
    def test_what_can_not_be_counted_is_told(self, capture: Capture, more: bytes, earlier: bytes) -> None:
        os.write(capture.descriptor, earlier)
        mark = capture.size()
        os.write(capture.descriptor, b"before\n")
        self.truncate(capture, b"C\n")
        # Where those that share the file have stopped says nothing now.
        os.write(capture.descriptor, more * 9)
        text, cut = capture.read(mark, 1000)
        assert (text, cut > 0) == (f"C\n{more.decode() * 9}", True)

    def test_a_second_time_is_counted_too(self, capture: Capture) -> None:
        self.truncate(capture, b"one")
        assert capture.read(0, 100) == ("one", 0)
        os.write(capture.descriptor, b" and more")
        self.truncate(capture, b"two")
        assert capture.read(0, 100) == ("two", 12)
        self.truncate(capture, b"")
        assert capture.read(0, 100) == ("", 15)

    def test_nothing_is_lost_where_nothing_was(self, capture: Capture) -> None:
        mark = capture.size()
        self.truncate(capture, b"C\n")
        for _ in range(3):
            assert capture.read(mark, 100) == ("C\n", 0)

    def test_nothing_is_lost_that_was_shown(self, capture: Capture) -> None:
        os.write(capture.descriptor, b"before\n")
        mark = capture.size()
        self.truncate(capture, b"C\n")
        assert capture.read(mark, 100) == ("C\n", 0)
        os.write(capture.descriptor, b"D\n")
        assert capture.read(mark, 100) == ("C\nD\n", 0)

    def test_one_that_appends_loses_nothing(self, capture: Capture) -> None:
        os.write(capture.descriptor, b"one ")
        other = os.open(f"/proc/self/fd/{capture.descriptor}", os.O_WRONLY | os.O_APPEND)
        os.write(other, b"two ")
        os.write(capture.descriptor, b"three")
        os.close(other)
        assert capture.read(0, 100) == ("one two three", 0)

    def test_memory_that_was_given_back_is_counted_once(self, capture: Capture) -> None:
        for _ in range(4):
            os.write(capture.descriptor, b"x" * KEPT_BYTES)
        assert capture.reclaim()
        self.truncate(capture, b"C\n")
        assert capture.read(0, 100) == ("C\n", 4 * KEPT_BYTES)
        for _ in range(4):
            os.write(capture.descriptor, b"y" * KEPT_BYTES)
        assert capture.reclaim()
        assert os.fstat(capture.descriptor).st_blocks * 512 < 2 * KEPT_BYTES
        text, cut = capture.read(0, 16 * KEPT_BYTES)
        assert (set(text), len(text) + cut) == ({"y"}, 8 * KEPT_BYTES + 2)

    def test_one_that_is_taken_over_is_counted_like_its_maker(self, capture: Capture) -> None:
        os.write(capture.descriptor, b"before")
        taken = Capture("taken", os.dup(capture.descriptor))
        assert taken.read(0, 100) == ("before", 0)
        self.truncate(capture, b"C")
        assert taken.read(0, 100) == ("C", 6)
        taken.close()


@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
def test_a_cell_that_truncates_its_own_stdout_says_what_was_cut(start: Callable[..., Kernel], provisioner: str) -> None:
    kernel = start(provisioner=provisioner)
    kernel.execute("print('of an earlier cell')")
    reply = kernel.execute("import os\nprint('before', flush=True)\nos.system('echo C > /dev/stdout')")
    assert (reply.stdout, reply.stdout_cut) == ("C\n", 7)
    assert (kernel.execute("print('D')").stdout, reply.stdout_cut) == ("D\n", 7)
    died = kernel.inject("sigkill").post_mortem
    assert died is not None
    assert (died.stdout, died.stdout_cut) == ("C\nD\n", len("of an earlier cell\nbefore\n"))
