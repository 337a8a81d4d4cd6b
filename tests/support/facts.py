"""Facts of scenarios, written by hand as they stand in run documents."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from pytest_tfkernel.model.facts import Facts
from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Setting
from pytest_tfkernel.suite import scenarios

INTERPRETER = Interpreter("/usr/bin/python3", (3, 11, 7), "2.21.0")


def kind_of(name: str) -> type[Any]:
    """The type of the facts of a scenario."""
    scenario = scenarios.find(name)
    assert scenario is not None, name
    (kind,) = typing.get_args(typing.get_type_hints(scenario.play)["return"])
    assert isinstance(kind, type)
    return kind


def facts_of(name: str, seen: dict[str, Any] | None = None) -> Any:
    """Those of a scenario; of all that isn't given, that it was not seen."""
    return msgspec.convert(seen or {}, kind_of(name))


def saw(
    setting: Setting, seen: dict[str, Any] | None = None, error: str = "", interpreter: Interpreter = INTERPRETER
) -> Facts[Any]:
    """What a trial of this setting saw."""
    return Facts(setting, interpreter, facts_of(setting.example, seen), error)
