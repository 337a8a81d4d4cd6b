"""`python docs/make_guarantees.py` writes docs/guarantees.md from the judges' own docstrings."""

from __future__ import annotations

from pathlib import Path

from pytest_tfkernel.kernels.faults.menu import FAULTS
from pytest_tfkernel.suite.defects.table import load_ours
from pytest_tfkernel.suite.guarantees import GUARANTEES, configuration, eager, hosts, old_state, state
from pytest_tfkernel.suite.scenarios import SCENARIOS
from pytest_tfkernel.suite.scenarios.portrait import DIFFERENCES
from pytest_tfkernel.suite.settings import settings
from pytest_tfkernel.suite.sizes import SIZES
from pytest_tfkernel.trials.examples import EXAMPLES

PAGE = Path(__file__).parent / "guarantees.md"


def page() -> str:
    """The whole page."""
    return (
        "\n".join(
            [
                *_head(),
                *_guarantees(),
                *_known_defects(),
                *_faults(),
                *_examples(),
                *_scenarios(),
                *_trials(),
                *_refusals(),
                *_warm(),
                *_forks(),
                *_hosts(),
            ]
        )
        + "\n"
    )


def _head() -> list[str]:
    return [
        "# Guarantees",
        "",
        "This page is made by `python docs/make_guarantees.py` from the code. Ids are stable: they stand in",
        "item ids (`tfkernel::ID[provisioner-example-fault-phase]`) and in records of runs.",
        "",
        "A verdict is PASS (it was looked at, and it held), FAIL, KNOWN (a FAIL that fits a [known",
        "defect](#known-defects) of this TensorFlow), or UNKNOWN (it could not be looked at; the reason says why).",
        "The control is a real kernel in `tests/saboteurs/` that misbehaves, and of which the judge says FAIL.",
        "",
    ]


def _guarantees() -> list[str]:
    lines = ["| id | what must hold | asked in | control |", "|---|---|---|---|"]
    return lines + [f"| `{one.id}` | {one.statement} | {one.where} | `{one.control}` |" for one in GUARANTEES]


def _known_defects() -> list[str]:
    lines = [
        "",
        "## Known defects",
        "",
        "Judges know no versions. What TensorFlow is known to do wrong is listed in",
        "[tensorflow.toml](../pytest_tfkernel/suite/defects/tensorflow.toml); a FAIL that fits an entry is KNOWN. It",
        "has a word, a letter (`K`), a colour and a count of its own, is a skip in JUnit XML, and is neither passed",
        "nor red. An entry without an end holds for newer releases too, nightlies included. Where a defect is listed",
        "as always seen and the guarantee holds, the run says that it is mended: the entry then needs its end. What",
        "is seen of a TensorFlow whose version can't be read stays a FAIL.",
        "",
        "| defect | guarantee | what is observed | TensorFlow | seen |",
        "|---|---|---|---|---|",
    ]
    for one in load_ours([guarantee.id for guarantee in GUARANTEES]):
        entry = one.entry
        lines.append(
            f"| `{entry.id}`: {entry.reason} | `{entry.guarantee}` in `{entry.trial}` | {entry.observed}"
            f" | {str(one.span).removeprefix('TensorFlow ')} | {entry.seen} |"
        )
    return [
        *lines,
        "",
        "A list of your own, such as of what your build of TensorFlow does, goes into a file in JSON, which",
        "`--tfkernel-known=FILE` names (in an ini file `tfkernel_known`, beside it):",
        "",
        "```json",
        "[",
        "  {",
        '    "guarantee": "error-is-not-death",',
        '    "trial": "*-oom-tensor-*",',
        '    "observed": "oom-tensor should not kill: *",',
        '    "since": "2.20",',
        '    "seen": "sometimes",',
        '    "reason": "our allocator aborts, see issue 123"',
        "  }",
        "]",
        "```",
        "",
        "| field | holds |",
        "|---|---|",
        "| `guarantee` | its id; required. Here and in the other patterns `*` is anything, `?` one character |",
        "| `reason` | why; required |",
        "| `trial`, `kernel` | a setting, as it stands in ids, and the label of a kernel (default: any) |",
        "| `since`, `until` | the first TensorFlow that does it, and the first that doesn't (default: no bound) |",
        "| `observed` | what the judge says (default: anything) |",
        "| `seen` | what a PASS means: `always`, that it is mended, and `sometimes`, nothing |",
        "| `id`, `described` | what it is called, and where more stands |",
        "",
        "Nightlies and candidates of the release that is a bound may be on either side of it; a bound that is a",
        "nightly (`2.22.0.dev20260905`) is exact. Your list is looked through before ours. An entry that fits nothing",
        "in a run is told at its end: nothing has failed so, nor passed where the entry says what a PASS means. One",
        "with a field that isn't known, without a reason, or of a guarantee that there isn't is an error before the",
        "first test.",
    ]


def _faults() -> list[str]:
    lines = ["", "## Faults", "", "| fault | what it does | the kernel |", "|---|---|---|"]
    for fault in FAULTS:
        needs = f"; needs {', '.join(fault.requires)}" if fault.requires else ""
        lines.append(f"| `{fault.name}` | {fault.summary}{needs} | {fault.expects} |")
    return lines


def _examples() -> list[str]:
    lines = ["", "## Examples", "", "| example | what it is |", "|---|---|"]
    return lines + [f"| `{example.name}` | {example.title} |" for example in EXAMPLES]


def _scenarios() -> list[str]:
    lines = ["", "## Scenarios", "", "| scenario | what is played | faults |", "|---|---|---|"]
    for one in SCENARIOS:
        faults = ", ".join(f"`{fault}`" for fault in dict.fromkeys(setting.fault for setting in one.settings))
        lines.append(f"| `{one.name}` | {one.title} | {faults} |")
    return lines


def _refusals() -> list[str]:
    lines = [
        "",
        "## Errors that must come",
        "",
        "Seen in 1.15, 2.15 and 2.21; those of `eager-needs-graph` in 2.12, 2.15, 2.18 and 2.21, since",
        "graph mode is the default of 1.15. Any other error is FAIL, and so is none. Devices and threads are",
        "frozen in 1.15 too, once eager execution has been asked for there.",
        "",
        "A handle is a name and no more: when the next process has made a tensor handle or an iterator of its own in",
        "the same order, an old handle is not refused, but means the new thing, in silence (all versions).",
        "",
        "| guarantee | what is tried | the error | a part of its message |",
        "|---|---|---|---|",
    ]
    rows = [("eager-needs-graph", what, error, part) for what, (error, part) in eager.REFUSALS.items()]
    for what, (errors, part) in old_state.REFUSALS.items():
        rows.append(("old-state-is-refused", what, " or ".join(errors), part))
    for what, part in configuration.REFUSALS.items():
        rows.append(("configuration-is-per-process", what, "RuntimeError", part))
    return lines + [f"| `{name}` | {what} | {error} | {part} |" for name, what, error, part in rows]


def _warm() -> list[str]:
    lines = [
        "",
        "## Forked and fresh kernels",
        "",
        "What `warm-equals-cold` does not ask to be the same. All else is: results, operations, errors, death,",
        "signals, folders, search path, environment, locale, limits, descriptors and more.",
        "",
        "| what | why it differs |",
        "|---|---|",
    ]
    return lines + [f"| {what} | {why} |" for what, why in DIFFERENCES.items()]


def _forks() -> list[str]:
    lines = [
        "",
        "## Forks of a kernel with a session",
        "",
        "What `live-fork-is-unusable` allows; the reason of its verdict says what was seen. A session is not made to",
        "survive a fork (tensorflow/tensorflow#2448). On CPU all of them hang in 2.21, 2.15 and 1.15.5; with a GPU",
        "they abort (tensorflow/tensorflow#57877), or raise InternalError: the driver refuses all calls of a fork.",
        "",
        "| in the fork | TensorFlow 1 | since TensorFlow 2 |",
        "|---|---|---|",
    ]
    rows = [(name, " or ".join(by["1"]), " or ".join(by["2"])) for name, by in state.FORKS.items()]
    return lines + [f"| `{name}` | {first} | {second} |" for name, first, second in rows]


def _hosts() -> list[str]:
    lines = [
        "",
        "## Kernels of different hosts",
        "",
        "Where `hosts-agree` allows a kernel to differ from one of `subprocess`.",
        "",
        "| hosts | what | there | why |",
        "|---|---|---|---|",
    ]
    return lines + [
        f"| {', '.join(one.hosts)} | {one.what} | `{one.value!r}` | {one.why} |" for one in hosts.DIFFERENCES
    ]


def _trials() -> list[str]:
    lines = [
        "",
        "## Trials",
        "",
        "What `pytest --tfkernel` plays beside the scenarios, which are in `standard`. A hole in the matrix is a trial",
        "that is not in this list. The size is the smallest that has the trial.",
        "",
        "| provisioner | fault | phase | examples | size |",
        "|---|---|---|---|---|",
    ]
    names = [example.name for example in EXAMPLES]
    smallest = {setting: size for size in reversed(SIZES) for setting in settings(size)}
    played: dict[tuple[str, str, str, str], list[str]] = {}
    for setting in (setting for setting in settings() if setting.example in names):
        key = (setting.provisioner, setting.fault, setting.phase, smallest[setting])
        played.setdefault(key, []).append(f"`{setting.example}`")
    for (made, fault, phase, size), examples in played.items():
        lines.append(f"| {made} | `{fault}` | {phase} | {', '.join(examples)} | {size} |")
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
