"""Resources and leaks in words, whose names may be any bytes."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.processes import ProcessId
from pytest_tfkernel.model.resources import Blind, Holder, Kind, Leak, Resource, printable


@pytest.mark.parametrize(("text", "shown"), [("a ü", "a ü"), ("a\nb", "a\\nb"), ("\udcff\x1b", "\\udcff\\x1b")])
def test_a_text_becomes_one_line_that_can_be_encoded(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_one_is_told_with_its_detail_and_its_holders() -> None:
    holder = Holder(ProcessId(7, 1), "cat\n", 1.26)
    assert str(Resource(Kind.LOCK, "/tmp/a\n")) == "lock /tmp/a\\n"
    assert str(Resource(Kind.FILE, "/tmp/a", detail="a socket")) == "temporary-file /tmp/a (a socket)"
    assert (
        str(Resource(Kind.DEVICE, "/dev/nvidia0", holders=(holder, Holder(ProcessId(8, 1), ""))))
        == "device /dev/nvidia0, held by 7 (cat\\n, 1.3 s old), 8 (no command line)"
    )


def test_it_is_the_same_whoever_holds_it() -> None:
    one = Resource(Kind.LOCK, "a", "1")
    held = Resource(Kind.LOCK, "a", "1", (Holder(ProcessId(7, 1), "cat"),), "detail")
    assert one.key == held.key != Resource(Kind.LOCK, "a", "2").key


def test_a_leak_says_since_when() -> None:
    one = Resource(Kind.LOCK, "a")
    assert (str(Leak(one, 5)), str(Leak(one, 5, "x = 1"))) == ("lock a", "lock a, first seen after the cell 'x = 1'")


def test_what_could_not_be_looked_at_says_why() -> None:
    assert str(Blind(Kind.FILE, "/tmp/a\n", "Permission denied")) == "/tmp/a\\n: Permission denied"
