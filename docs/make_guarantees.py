"""`python docs/make_guarantees.py` writes docs/guarantees.md from the judges' own docstrings."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.kernels.faults import FAULTS
from pytest_tfkernel.suite.examples import EXAMPLES
from pytest_tfkernel.suite.guarantees import GUARANTEES
from pytest_tfkernel.suite.settings import settings

PAGE = Path(__file__).parent / "guarantees.md"


def page() -> str:
    """The whole page."""
    return "\n".join([*_head(), *_guarantees(), *_faults(), *_examples(), *_trials()]) + "\n"


def _head() -> list[str]:
    return [
        "# Guarantees",
        "",
        "This page is made by `python docs/make_guarantees.py` from the code. Ids are stable: they stand in",
        "item ids (`tfkernel::ID[provisioner-example-fault-phase]`) and in records of runs.",
        "",
        "A verdict is PASS (it was looked at, and it held), FAIL, or UNKNOWN (it could not be looked at; the",
        "reason says why). The control is a real kernel in `tests/saboteurs/` that misbehaves, and of which the",
        "judge says FAIL.",
        "",
    ]


def _guarantees() -> list[str]:
    lines = ["| id | what must hold | asked in | control |", "|---|---|---|---|"]
    return lines + [f"| `{one.id}` | {one.statement} | {one.where} | `{one.control}` |" for one in GUARANTEES]


def _faults() -> list[str]:
    lines = ["", "## Faults", "", "| fault | what it does | the kernel |", "|---|---|---|"]
    for fault in FAULTS:
        needs = f"; needs {', '.join(fault.requires)}" if fault.requires else ""
        lines.append(f"| `{fault.name}` | {fault.summary}{needs} | {fault.expects} |")
    lines.append(
        "| `runner-death` | SIGKILL to a pytest whose kernel has left a daemon | ends within 2 s, as all of ours |"
    )
    return lines


def _examples() -> list[str]:
    lines = ["", "## Examples", "", "| example | what it is |", "|---|---|"]
    return lines + [f"| `{example.name}` | {example.title} |" for example in EXAMPLES]


def _trials() -> list[str]:
    lines = [
        "",
        "## Trials",
        "",
        "What `pytest --tfkernel` plays. A hole in the matrix is a trial that is not in this list.",
        "",
        "| provisioner | fault | examples |",
        "|---|---|---|",
    ]
    played: dict[tuple[str, str], list[str]] = {}
    for setting in settings():
        played.setdefault((setting.provisioner, setting.fault), []).append(f"`{setting.example}`")
    return lines + [f"| {made} | `{fault}` | {', '.join(examples)} |" for (made, fault), examples in played.items()]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
