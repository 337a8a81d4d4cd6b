"""`--tfkernel-save` and `tfkernel_save`: whether a run is to be saved, and by which name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfkernel.plugin.options import is_inside

_OPTION, _INI = "--tfkernel-save", "tfkernel_save"
_YES, _NO = ("true", "yes", "on", "1"), ("", "false", "no", "off", "0")


def asked_for(config: pytest.Config) -> str | None:
    """The name, which may be empty; None where nothing is to be saved. Raises pytest.UsageError."""
    if is_inside(config):
        # What is kept of a test is pytest's own process's to keep.
        return None
    given: str | None = config.getoption(_OPTION)
    if given is not None:
        words = (
            *config.invocation_params.args,
            *config.getini("addopts"),
            *os.environ.get("PYTEST_ADDOPTS", "").split(),
        )
        if _may_be_a_path(given) and f"{_OPTION}={given}" not in words:
            # Its value may be left out, and what stands behind it is no name then.
            raise pytest.UsageError(
                f"{_OPTION} {given}: is that a name or a path? Write {_OPTION}={given} for a name, and"
                f" {_OPTION}= before a path"
            )
        return _checked(given, f"{_OPTION}={given}")
    known: str = config.getini(_INI).strip()
    if known.lower() in _NO:
        return None
    return "" if known.lower() in _YES else _checked(known, f"{_INI} = {known}")


def _checked(name: str, said: str) -> str:
    from pytest_tfkernel.report.saved import check_name

    why = check_name(name) if name else ""
    if why:
        raise pytest.UsageError(f"{said}: {name!r} {why}")
    return name


def _may_be_a_path(word: str) -> bool:
    try:
        return bool(word) and ("/" in word or "::" in word or Path(word).exists())
    except (OSError, ValueError):
        return True
