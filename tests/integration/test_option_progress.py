"""`--tfkernel-progress`: how far a run is, for a program that waits for it."""

from __future__ import annotations

import json

from inner import Inner

TESTS = "import pytest\n@pytest.mark.parametrize('n', range(3))\ndef test_it(n): assert n\n"


def test_each_step_is_a_line(canned: Inner) -> None:
    canned.write("test_mine.py", TESTS)
    canned.write("test_broken.py", "assert 1 == 2\n")
    path = canned.folder / "progress"
    path.write_text("old")
    canned.run(
        "--tfkernel", "--tfkernel-size=smoke", ".", f"--tfkernel-progress={path}", "--continue-on-collection-errors"
    )
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[:2] == [
        {"uncollected": ["test_broken.py", "assert 1 == 2"]},
        {"collected": [4, 3]},
    ]
    done = [line["done"] for line in lines if "done" in line]
    assert done == sorted(done)
    assert done[-1] == [4, 3]


def test_workers_are_counted_together_and_a_place_that_is_none_is_a_line(canned: Inner) -> None:
    canned.write("test_mine.py", TESTS)
    path = canned.folder / "progress"
    canned.run("-n", "2", ".", f"--tfkernel-progress={path}")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"collected": [0, 3]}
    assert lines[-1] == {"done": [0, 3]}
    refused = canned.run(".", "--tfkernel-progress=no/such/file")
    assert refused.ret == 4
    refused.stderr.fnmatch_lines(["*--tfkernel-progress=no/such/file: it can't be written: No such file or directory"])
