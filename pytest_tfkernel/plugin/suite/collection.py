"""The suite as pytest sees it: a collector, and one item per setting and guarantee."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

import pytest

from pytest_tfkernel.model.errors import TFKernelError
from pytest_tfkernel.model.trials import Observation, Record, Setting, State, Verdict
from pytest_tfkernel.plugin import workers
from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.plugin.interpreters import interpreters_of, missing_hosts
from pytest_tfkernel.plugin.options import ID_PREFIX
from pytest_tfkernel.plugin.suite.defects import defects_of
from pytest_tfkernel.plugin.suite.playing import Played, play
from pytest_tfkernel.suite.guarantees import GUARANTEES, Guarantee
from pytest_tfkernel.suite.observing import Seen
from pytest_tfkernel.suite.settings import settings, slow_first
from pytest_tfkernel.suite.sizes import FULL

PlayingOrder = Callable[[Iterable[Setting]], list[Setting]]


class UnknownVerdict(pytest.skip.Exception):  # type: ignore[misc, name-defined, unused-ignore]
    """Ends an item whose guarantee could not be looked at; pytest takes it for a skip."""


class KnownVerdict(pytest.skip.Exception):  # type: ignore[misc, name-defined, unused-ignore]
    """Ends an item whose guarantee did not hold, as is known; for pytest it is a skip, too."""


class FailedVerdict(Exception):  # noqa: N818 - a verdict, and no error of the program's
    """Ends an item whose guarantee did not hold."""


class SuiteCollector(pytest.Collector):
    """All items of the suite that the options ask for."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item per setting and guarantee that applies, those of a setting together."""
        options = options_of(self.config)
        missing = {label: missing_hosts(self.config, one) for label, one in interpreters_of(self.config).items()}
        # Alone, a run begins with what is soon done; with others, with what would keep one of them at the end.
        order: PlayingOrder = slow_first if workers.is_worker(self.config) else list
        usual = dict.fromkeys(pairs(options.size, options.provisioners, options.allow, missing, order))
        # An id is run whatever the size.
        possible = pairs(allow=options.allow, missing=missing, order=order) if options.selected else usual
        for setting, guarantee in possible:
            name = f"{guarantee.id}[{setting.named(labelled=len(missing) > 1)}]"
            # Given as text: pytest 9 then takes it apart as it does when it reads it back for --lf.
            nodeid = f"{ID_PREFIX}{name}"
            whole = (setting, guarantee) in usual and f"{ID_PREFIX}{guarantee.id}" in options.selected
            if not options.selected or whole or nodeid in options.selected:
                yield GuaranteeItem.from_parent(self, name=name, nodeid=nodeid, guarantee=guarantee, setting=setting)


class GuaranteeItem(pytest.Item):
    """One guarantee in one setting; the first item of a setting plays its trial while it is set up."""

    def __init__(self, *, guarantee: Guarantee, setting: Setting, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.guarantee = guarantee
        self.setting = setting
        self.played: Played | None = None
        self._ready: Played | None = None
        self.record: Record | None = None
        # By its hook: its name is that under which somebody has loaded it.
        if hasattr(self.config.hook, "pytest_timeout_set_timer"):
            # Every wait of a trial has a deadline of its own, and one cut short says nothing.
            self.add_marker(pytest.mark.timeout(0))

    def setup(self) -> None:
        """Play the trial if it hasn't been: whose time it takes is no guarantee's."""
        if not self.config.getoption("setuponly", default=False):
            self._ready = play(self.config, self.setting)

    def runtest(self) -> None:
        """Judge the observation of this setting; again the same, where somebody repeats the call alone."""
        played = self.played = self._ready or play(self.config, self.setting)
        self._ready = None
        seen = played.seen
        if isinstance(seen, TFKernelError):
            verdict = Verdict.unknown(f"the trial could not be played: {seen}")
        else:
            verdict = defects_of(self.config).told(
                self.guarantee.judge(seen), self.guarantee.id, self.setting, seen.interpreter.tensorflow
            )
        self.record = Record(
            self.nodeid, self.guarantee.id, self.setting, verdict, _post_mortem(seen), played.cold_starts
        )
        self.user_properties += _properties(self.record)
        if verdict.state is State.UNKNOWN:
            raise UnknownVerdict(verdict.said)
        if verdict.state is State.KNOWN:
            raise KnownVerdict(verdict.said)
        if verdict.state is State.FAIL:
            raise FailedVerdict(verdict.said)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What a person needs to know, and no traceback of ours."""
        if isinstance(excinfo.value, FailedVerdict) and self.record is not None:
            # pytest's own short summary shows the first line.
            lines = [f"FAIL: {excinfo.value}", f"What must hold: {self.guarantee.statement}", self.record.post_mortem]
            return "\n".join(lines).rstrip()
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        """Where it is: nowhere in the user's files."""
        return "tfkernel", None, self.nodeid


def pairs(
    size: str = FULL,
    provisioners: tuple[str, ...] = (),
    allow: tuple[str, ...] = (),
    missing: Mapping[str, Collection[str]] | None = None,
    order: PlayingOrder = list,
) -> Iterator[tuple[Setting, Guarantee]]:
    """Every setting of a size with every guarantee that applies to it (see `suite.settings.settings`).

    `missing` has the labels of the interpreters, and what each lacks.
    """
    kernels: Collection[tuple[str | None, Collection[str]]] = missing.items() if missing else [(None, ())]
    each = [settings(size, provisioners, allow, lacks, label) for label, lacks in kernels]
    # In turns: what else goes on at the machine meets all interpreters, and differs between none of them.
    chosen = dict.fromkeys(one for several in itertools.zip_longest(*each) for one in several if one is not None)
    for setting in order(chosen):
        for guarantee in GUARANTEES:
            if guarantee.applies(setting):
                yield setting, guarantee


def _post_mortem(seen: Seen | TFKernelError) -> str:
    outcome = seen.outcome if isinstance(seen, Observation) else None
    return outcome.post_mortem.describe() if outcome is not None and outcome.post_mortem is not None else ""


def _properties(record: Record) -> list[tuple[str, object]]:
    """What JUnit XML shows of a verdict."""
    setting = record.setting
    named = {
        "guarantee": record.guarantee,
        "verdict": record.verdict.state.value,
        "reason": record.verdict.reason,
        "given": record.verdict.given,
        "defect": record.verdict.defect.id if record.verdict.defect is not None else "",
        "provisioner": setting.provisioner,
        "example": setting.example,
        "fault": setting.fault,
        "phase": setting.phase,
        "kernel": setting.kernel,
    }
    return [(f"tfkernel.{name}", text) for name, text in named.items() if text]
