"""One document for each side: what the suite saw of its interpreter, and what your tests did beside it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pytest_tfkernel.report.document import Document, End

_SUITE = "tfkernel::"


def of_label(suite: Document, label: str) -> Document:
    """Of a run with several interpreters, what belongs to one of them, as if it had run alone."""
    mark = f"[{label}/"

    def shows(kernel: str | None) -> bool:
        return kernel in (label, None)

    def is_mine(nodeid: str) -> bool:
        return mark in nodeid or not nodeid.startswith(_SUITE) or "/" not in nodeid.partition("[")[2]

    verdicts = [
        msgspec.structs.replace(one, item=one.item.replace(mark, "["))
        for one in suite.verdicts
        if shows(one.setting.kernel)
    ]
    end = suite.end
    if end is not None:
        unreported = [one.replace(mark, "[") for one in end.unreported if is_mine(one)]
        end = msgspec.structs.replace(end, unreported=unreported, collected=len(verdicts) + len(unreported))
    kernels = [one for one in suite.environment.kernels if one.label == label]
    return msgspec.structs.replace(
        suite,
        environment=msgspec.structs.replace(suite.environment, kernels=kernels),
        trials=[one for one in suite.trials if shows(one.setting.kernel)],
        verdicts=verdicts,
        end=end,
    )


def joined(suite: Document | None, tests: Document | None) -> Document:
    """Both as one; at least one of them is there."""
    if suite is None or tests is None:
        only = suite if tests is None else tests
        if only is None:
            raise ValueError("neither the suite nor tests")
        return only
    environment = msgspec.structs.replace(
        tests.environment,
        kernels=suite.environment.kernels,
        options=[*suite.environment.options, *tests.environment.options],
        capabilities=suite.environment.capabilities,
    )
    return msgspec.structs.replace(
        suite,
        complete=suite.complete and tests.complete,
        environment=environment,
        trials=[*suite.trials, *tests.trials],
        verdicts=[*suite.verdicts, *tests.verdicts],
        tests=[*suite.tests, *tests.tests],
        end=_joined_ends(filter(None, (suite.end, tests.end))) if suite.complete and tests.complete else None,
    )


def _joined_ends(ends: Iterable[End]) -> End:
    known = [*ends]
    return End(
        seconds=sum(one.seconds for one in known),
        exit_code=max(one.exit_code for one in known),
        collected=sum(one.collected for one in known),
        unreported=[name for one in known for name in one.unreported],
    )
