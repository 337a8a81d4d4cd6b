"""What each run was asked for and how far it came: what is missing for a reason, and what for none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_tfkernel.report.compare.alike import same_text
from pytest_tfkernel.report.compare.pairs import Pairs, Side
from pytest_tfkernel.report.compare.whose import beside, has_trials, pythons, tensorflows
from pytest_tfkernel.report.document import Environment, Kernel

# Options of pytest that choose among tests, with and without a value of their own. Others, such as -n, don't
# change what is run; one that is not known here makes what is missing a regression, which is the safe side.
_CHOOSE_WITH_VALUE = (
    "-k",
    "-m",
    "--deselect",
    "--ignore",
    "--ignore-glob",
    "--maxfail",
    "--tfkernel-allow",
    "--tfkernel-provisioner",
    "--tfkernel-size",
)
# Their values aren't paths of tests.
_OTHER_WITH_VALUE = (
    *("-c", "-n", "-o", "-p", "-r", "-W", "--basetemp", "--color", "--confcutdir", "--dist", "--durations"),
    *("--junit-xml", "--junitxml", "--log-file", "--override-ini", "--rootdir", "--tb", "--timeout", "--tx"),
    *("--tfkernel-compare", "--tfkernel-expect", "--tfkernel-fail-on", "--tfkernel-kernelspec"),
    *("--tfkernel-known", "--tfkernel-python", "--tfkernel-report", "--tfkernel-require"),
)
_CHOOSE = ("--tfkernel", "-x", "--exitfirst", "--lf", "--last-failed", "--nf", "--sw", "--stepwise")
# With it a test that leaks fails, as it does not with `warn` or without.
_GATE = "--tfkernel-gate"
_LACKING = "can't check"
# Saying what holds anyway is no choice.
_DEFAULT = "--tfkernel-size=standard"


def asked_for_other(ref: Side, changed: Side) -> str:
    """In which words the two runs were asked for different things; empty where they weren't."""
    asked = [_choosing(side.document.environment.options) for side in (ref, changed)]
    if asked[0] == asked[1]:
        return ""
    mine, theirs = (" ".join(sorted(words)) or "all" for words in asked)
    return f"ref was asked for {mine}, changed for {theirs}"


def shortfalls(ref: Side, changed: Side) -> list[str]:
    """What says that a run didn't come to its end, a line each."""
    found = []
    for side in (ref, changed):
        end = side.document.end
        if not side.document.complete or end is None:
            found.append(f"{side.name} is incomplete: its run was cut short, and what it didn't run is unknown")
        elif end.unreported:
            have = "has" if len(end.unreported) == 1 else "have"
            found.append(
                f"{side.name} is incomplete: {len(end.unreported)} of {end.collected} items that were collected {have}"
                f" no report, such as {end.unreported[0]}"
            )
    return found


def is_whole(side: Side) -> bool:
    """Whether a run came to its end and reported of everything."""
    return side.document.complete and side.document.end is not None and not side.document.end.unreported


def surroundings(pairs: Pairs, ref: Side, changed: Side) -> list[str]:
    """What else differs between the two runs, a line each."""
    tests_only = not has_trials(pairs) and None not in (side.document.environment.pytest for side in (ref, changed))
    own = tests_only or bool(beside(pairs, ref, changed))
    before, after = (
        dict(_facts(side.document.environment, () if tests_only else kernels, own=own))
        for side, kernels in zip((ref, changed), pairs.kernels, strict=True)
    )
    names = {**before, **after}
    given = {
        (guarantee, one.ref.given, one.changed.given): None
        for (guarantee, _), one in pairs.verdicts.items()
        if one.ref is not None and one.changed is not None and not same_text(one.ref.given, one.changed.given)
    }
    return [
        f"{name}: {before.get(name, 'none')} -> {after.get(name, 'none')}"
        for name in names
        if not _is_same(name, before.get(name, ""), after.get(name, ""))
    ] + [f"{guarantee}: {mine or 'not recorded'} -> {theirs or 'not recorded'}" for guarantee, mine, theirs in given]


def _is_same(name: str, before: str, after: str) -> bool:
    """Whether a fact is. Of a version or a size each digit counts; a reason may have pids and paths."""
    return same_text(before, after) if name.startswith(_LACKING) else before == after


def _choosing(options: Iterable[str]) -> frozenset[str]:
    words = iter(options)
    return frozenset(_normal_choices(words)) - {_DEFAULT}


def _normal_choices(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        name, has_value, _ = word.partition("=")
        if word in _CHOOSE_WITH_VALUE:
            yield f"{word}={next(words, '')}"
        elif word in _OTHER_WITH_VALUE:
            next(words, "")
        elif word in _CHOOSE or (has_value and name in _CHOOSE_WITH_VALUE):
            yield word
        elif word[:2] in {"-k", "-m"} and not word.startswith("--"):
            yield f"{word[:2]}={word[2:]}"
        elif not word.startswith("-") and ("::" in word or "/" in word or word.endswith(".py")):
            # A path, or the value of an option with one, which differs for some other reason.
            yield word


def _gate(options: Iterable[str]) -> str:
    modes = [mode or "fail" for name, _, mode in (word.partition("=") for word in options) if name == _GATE]
    return modes[-1] if modes else "not given"


def _facts(environment: Environment, kernels: tuple[Kernel, ...], *, own: bool) -> Iterator[tuple[str, str]]:
    """What a run was played with, by name; `own`: also what your own tests had, since that was another interpreter."""
    if kernels:
        yield "TensorFlow of the kernels", tensorflows(kernels)
        yield "Python of the kernels", pythons(kernels)
        yield "CUDA", ", ".join(dict.fromkeys(kernel.cuda or "none" for kernel in kernels))
    for kernel in kernels if len(kernels) == 1 else ():
        yield from ((f"{name} in the kernels", version) for name, version in kernel.packages.items())
    if own and environment.pytest is not None:
        yield "TensorFlow of your tests", tensorflows((environment.pytest,))
        yield "Python of your tests", pythons((environment.pytest,))
        yield from ((f"{name} of your tests", version) for name, version in environment.pytest.packages.items())
    machine = environment.machine
    yield "Linux", machine.linux
    yield "architecture", machine.architecture
    yield "CPUs", str(machine.cpus)
    yield "memory", f"{machine.memory / (1 << 30):.1f} GiB"
    yield "cgroup", "none" if machine.cgroup is None else f"version {machine.cgroup}"
    yield "driver", machine.driver or "none"
    yield "GPUs", ", ".join(machine.gpus) or "none"
    yield _GATE, _gate(environment.options)
    yield from environment.packages.items()
    yield from ((f"{_LACKING} {name}", reason) for name, reason in environment.capabilities.items())
