"""Verdicts on their way from a worker to the controller: as plain data on the report."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pytest_tfkernel.model.trials import Record, Setting, State, Verdict

_ATTRIBUTE = "tfkernel"


def attach(report: pytest.TestReport, record: Record) -> None:
    """Put a record on a report; pytest-xdist carries attributes of plain data along."""
    plain: dict[str, Any] = {
        "item": record.item,
        "guarantee": record.guarantee,
        "setting": dataclasses.asdict(record.setting),
        "state": record.verdict.state.value,
        "reason": record.verdict.reason,
        "given": record.verdict.given,
        "post_mortem": record.post_mortem,
        "cold_starts": record.cold_starts,
    }
    setattr(report, _ATTRIBUTE, plain)


def of(report: object) -> Record | None:
    """The record on a report, if it is one of ours and tells of the call."""
    plain = getattr(report, _ATTRIBUTE, None)
    if plain is None:
        return None
    verdict = Verdict(State(plain["state"]), plain["reason"], plain["given"])
    setting = Setting(**plain["setting"])
    return Record(plain["item"], plain["guarantee"], setting, verdict, plain["post_mortem"], plain["cold_starts"])
