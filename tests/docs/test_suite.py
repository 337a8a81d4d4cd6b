"""The options of docs/suite.md are those that there are, and need what it says."""

from __future__ import annotations

import re

import pytest

from inner import Inner
from pages import ROOT

TEXT = (ROOT / "docs/suite.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(--tfkernel[a-z-]*)[^|]*` \| ([^|]*?) ?\|", TEXT, re.MULTILINE))
# What is asked for, and what of the refusal says the same as the table.
GIVEN = {
    "--tfkernel-size": "smoke",
    "--tfkernel-require": "gpu",
    "--tfkernel-allow": "oom-gpu",
    "--tfkernel-known": "known.json",
    "--tfkernel-python": "python",
    "--tfkernel-provisioner": "subprocess",
    "--tfkernel-kernelspec": "python3",
    "--tfkernel-fail-on": "changed",
    "--tfkernel-expect": "known.json",
}
SAID = {
    "`--tfkernel`": "add --tfkernel",
    "`--tfkernel`, or tests that use kernels": "no test here asks for one: add --tfkernel",
    "`--tfkernel-compare`": "add --tfkernel-compare",
}


def test_each_option_and_each_ini_value_is_there(inner: Inner) -> None:
    said = inner.run("--help").stdout.str()
    assert set(re.findall(r"^ {2}(--tfkernel[a-z-]*)", said, re.MULTILINE)) == set(ROWS)
    assert {option for option, needs in ROWS.items() if needs} == set(GIVEN)
    assert [name for name in re.findall(r"^ {2}(tfkernel_\w+) ", said, re.MULTILINE) if f"`{name}`" not in TEXT] == []


@pytest.mark.parametrize("option", GIVEN)
def test_what_an_option_needs_is_refused_where_it_is_missing(inner: Inner, option: str) -> None:
    inner.write("test_mine.py", "def test_mine(): pass\n")
    inner.write("known.json", "[]")
    result = inner.run(f"{option}={GIVEN[option]}", "-p", "no:xdist")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert SAID[ROWS[option]] in result.stderr.str()
