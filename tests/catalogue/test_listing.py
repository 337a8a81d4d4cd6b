"""`python -m pytest_tfkernel list`, without the process."""

from __future__ import annotations

import argparse

import pytest

from pytest_tfkernel.catalogue import listing


def listed(*words: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    listing.declare(parser)
    return listing.run(parser.parse_args(list(words)))


def test_each_kind_has_a_title_and_a_line_for_each_name() -> None:
    code, out, err = listed("phases", "faults")
    assert (code, err) == (0, "")
    phases, faults = out.split("\n\n")
    assert phases.startswith("phases (7)\n  idle       waiting for the next cell\n")
    assert "  oom-tensor          a tensor of 4 PiB\n" in faults


def test_the_machine_is_asked_only_about_capabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(python: str) -> list[str]:
        return [f"asked of {python}"]

    monkeypatch.setattr(listing, "_capabilities", found)
    assert "asked of" not in listed("guarantees", "faults", "phases", "provisioners", "examples", "scenarios")[1]
    assert listed("--python=there")[1].endswith("asked of there\n")


def test_what_this_machine_lacks_is_said_with_why() -> None:
    code, out, err = listed("capabilities")
    assert (code, err) == (0, "")
    assert out.startswith("capabilities here (")
    assert all("NOT HERE: " in line or len(line) < 60 for line in out.splitlines()[1:])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fault",), "usage error: fault: unknown; choose from guarantees, faults, phases, "),
        (("capabilities", "--python=/nonexistent"), "python='/nonexistent' doesn't exist: name a Python interpreter"),
    ],
)
def test_what_cannot_be_listed_is_one_line(words: tuple[str, ...], said: str) -> None:
    code, out, err = listed(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"list: {said}")
