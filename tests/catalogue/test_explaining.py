"""`python -m pytest_tfkernel explain`, without the process."""

from __future__ import annotations

import argparse

import pytest

from pytest_tfkernel.catalogue import explaining


def explained(word: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    explaining.declare(parser)
    return explaining.run(parser.parse_args([word]))


def test_a_guarantee_says_what_must_hold_where_its_control_and_the_line_to_run() -> None:
    code, out, err = explained("process-is-new")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "process-is-new (guarantee)",
        "  After a restart it is another process (pid *and* start time), and the old one is gone and reaped.",
        "  asked in:     trials of deadly faults",
        "  seen to fail: on a kernel that misbehaves: tests/saboteurs/survives_sigterm.py",
        "  run it:       pytest tfkernel::process-is-new",
        '  in one trial: pytest "tfkernel::process-is-new[forkserver-graph_add-sigkill-idle]"',
    ]


def test_a_fault_says_what_it_does_and_what_follows() -> None:
    _, out, _ = explained("oom-kill")
    fault, capability = out.split("\n\n")
    assert fault.startswith("oom-kill (fault)\n  killed by the OOM killer in a memory cgroup of its own\n")
    assert "  needs:            oom-kill\n" in fault
    assert '  run it:           pytest --tfkernel -k "[forkserver-graph_add-oom-kill-idle]"\n' in fault
    assert capability.startswith("oom-kill (capability)\n")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("procss-is-new", "did you mean process-is-new?"),
        ("xyzzy", "`pytest-tfkernel list` shows all names"),
        ("a\nb\x1b[2J", "`pytest-tfkernel list` shows all names"),
    ],
)
def test_what_is_unknown_is_one_line_with_a_hint(word: str, hint: str) -> None:
    code, out, err = explained(word)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.endswith(f"is unknown: {hint}\n")
    assert err.rstrip("\n").isprintable()
