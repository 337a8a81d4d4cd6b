"""The configuration with which a pytest begins, of its own plugins only, is made before: each that is forked has a copy."""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _pytest import config as configs


def prepare(others: Sequence[str]) -> None:
    """Make one for the first pytest that begins here; `others` are names of plugins that aren't pytest's own."""
    ordinary: Callable[..., Any] = configs.get_config
    waiting = [ordinary()]

    def get_config(args: Sequence[str] | None = None, plugins: Any = None, **more: Any) -> Any:
        if not waiting or not _keeps_all(args or (), others):
            return ordinary(args, plugins, **more)
        config = waiting.pop()
        config.invocation_params = configs.Config.InvocationParams(args=args or (), plugins=plugins, dir=Path.cwd())
        if args:
            config.pluginmanager.consider_preparse(args, exclude_only=True)
        if "prog" in inspect.signature(ordinary).parameters:
            config._parser.prog = more.get("prog") or Path(sys.argv[0]).name
        return config

    vars(configs)[ordinary.__name__] = get_config


def _keeps_all(args: Sequence[str], others: Sequence[str]) -> bool:
    """Whether such a command line takes away no plugin of pytest's own."""
    words = [word.strip() if isinstance(word, str) else "" for word in args]
    away = [after for word, after in itertools.pairwise(words) if word == "-p" and after.startswith("no:")]
    return not any(word.startswith("-pno:") for word in words) and {word[3:] for word in away} <= set(others)
