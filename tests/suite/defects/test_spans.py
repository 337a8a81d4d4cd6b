"""From which TensorFlow to which, of releases, nightlies and builds of others."""

from __future__ import annotations

import pytest

from pytest_tfkernel.suite.defects.spans import Span, is_exact, version_of


def span(since: str = "", until: str = "") -> Span:
    return Span(version_of(since), version_of(until))


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.15.1", "2.15.1"),
        ("2.22.0.dev20260905", "2.22.0.dev20260905"),
        # As older nightlies, candidates, and builds for cards are called.
        ("2.22.0-dev20260905", "2.22.0.dev20260905"),
        ("2.18.0-rc1", "2.18.0rc1"),
        ("2.4.1+nv20.12", "2.4.1+nv20.12"),
        ("2.15.0-ours_of-today", "2.15.0"),
        ("2.15", "2.15"),
        ("2", None),
        ("2.x", None),
        ("unknown", None),
        ("", None),
        (None, None),
    ],
)
def test_a_version_is_read_however_it_is_written(text: str | None, version: str | None) -> None:
    assert str(version_of(text)) == str(version)


@pytest.mark.parametrize(("text", "exact"), [("2.18", True), ("2.22.0.dev1", True), ("2.18-ours_", False), ("", False)])
def test_a_bound_must_be_a_version_and_nothing_else(text: str, exact: bool) -> None:
    assert is_exact(text) is exact


@pytest.mark.parametrize(
    ("since", "until", "version", "has", "surely"),
    [
        ("2.18", "", "2.18.0", True, True),
        ("2.18", "", "2.17.1", False, False),
        # No text is compared: 9 is less than 18.
        ("2.18", "", "2.9.3", False, False),
        ("2.18", "", "2.100.0", True, True),
        ("2.18", "", "3.0.0", True, True),
        ("2.18", "", "10.2", True, True),
        ("2.18", "", "2.22.0.dev20260905", True, True),
        ("2.18", "", "2.18.0+nv1", True, True),
        # What comes before a bound may be on either side.
        ("2.18", "", "2.18.0rc1", True, False),
        ("2.18", "", "2.18.0.dev20240701", True, False),
        ("2.18", "", "2.18.1rc0", True, True),
        ("2.18", "2.22", "2.21.0", True, True),
        ("2.18", "2.22", "2.22.0", False, False),
        ("2.18", "2.22", "2.22.0.dev20260905", True, False),
        ("2.18", "2.22", "2.22.1.dev1", False, False),
        ("", "2.18", "1.15.5", True, True),
        ("", "2.18", "2.18.0", False, False),
        # A bound that is a nightly is exact.
        ("2.18", "2.22.0.dev20260901", "2.22.0.dev20260831", True, True),
        ("2.18", "2.22.0.dev20260901", "2.22.0.dev20260901", False, False),
        ("2.22.0.dev20260901", "", "2.22.0.dev20260831", False, False),
        ("2.22.0.dev20260901", "", "2.22.0.dev20260901", True, True),
        ("", "", "1.0", True, True),
    ],
)
def test_a_span_has_what_is_or_may_be_in_it(since: str, until: str, version: str, has: bool, surely: bool) -> None:
    found = version_of(version)
    assert found is not None
    assert (found in span(since, until), span(since, until).surely_has(found)) == (has, surely)


def test_a_span_is_told_in_words() -> None:
    assert str(span("2.18")) == "TensorFlow since 2.18"
    assert str(span("2.18", "2.22")) == "TensorFlow since 2.18 until 2.22"
    assert {span("2.18"), span("2.18.0")} == {span("2.18")}
    assert (str(span()), span().is_all, span("2.18").is_all) == ("TensorFlow", True, False)
