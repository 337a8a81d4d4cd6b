"""The lines to type select what they are about, and nothing else."""

from __future__ import annotations

import functools
import re
import shlex

import pytest

from pytest_tfkernel.catalogue import lines
from pytest_tfkernel.catalogue.entries import entries
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite.guarantees import GUARANTEES, Guarantee
from pytest_tfkernel.suite.settings import HARMFUL, settings


@functools.cache
def items(size: str, allow: tuple[str, ...]) -> list[str]:
    """The ids that a run of this size has."""
    chosen = settings(size, allow=allow)
    return [f"tfkernel::{one.id}[{setting}]" for setting in chosen for one in GUARANTEES if one.applies(setting)]


def selected(line: str) -> list[str]:
    """Those that a line would run: an id, a guarantee at that size, or what `-k` fits, also in brackets."""
    words = shlex.split(line)
    size = next((one.partition("=")[2] for one in words if one.startswith("--tfkernel-size=")), "standard")
    allow = tuple(one.partition("=")[2] for one in words if one.startswith("--tfkernel-allow="))
    if "-k" not in words:
        whole = [one for one in items(size, allow) if one.partition("[")[0] in words]
        return whole or [one for one in items("full", allow) if one in words]
    wanted = words[words.index("-k") + 1]
    return [one for one in items(size, allow) if wanted in one]


@pytest.mark.parametrize("guarantee", GUARANTEES, ids=lambda one: one.id)
def test_lines_of_a_guarantee_run_all_of_it_and_only_it(guarantee: Guarantee) -> None:
    found = dict(lines.of_guarantee(guarantee))
    assert set(found) == {"run it", "in one trial"}
    ran = selected(found["run it"])
    assert ran
    assert {one.partition("[")[0] for one in ran} == {f"tfkernel::{guarantee.id}"}
    assert len(selected(found["in one trial"])) == 1


def test_line_of_a_trial_runs_that_one_with_all_its_guarantees() -> None:
    for entry in entries():
        line = dict(entry.details).get("run it", "")
        if entry.kind in {"fault", "phase", "example", "scenario"}:
            ran = selected(line)
            assert ran, entry.name
            assert len({re.sub(r"^[^\[]*", "", one) for one in ran}) == 1


def test_the_simplest_trial_is_an_idle_kernel_that_is_killed() -> None:
    line = dict(lines.of_guarantee(next(one for one in GUARANTEES if one.id == "variable-is-reset")))["in one trial"]
    assert line == 'pytest "tfkernel::variable-is-reset[forkserver-variable_assign-sigkill-idle]"'


@pytest.mark.parametrize("fault", HARMFUL)
def test_what_may_harm_is_run_by_name_only(fault: str) -> None:
    ((_, line),) = lines.of_trials(lambda one: one.fault == fault, fault)
    assert f"--tfkernel-allow={fault}" in line


def test_what_is_never_played_has_no_line() -> None:
    def never(_: Setting) -> bool:
        return False

    assert list(lines.of_trials(never)) == []
