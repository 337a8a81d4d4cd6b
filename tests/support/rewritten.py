"""Imports all of the package once: pytest, which rewrites the modules of a plugin, may then write what it has made of them.

Else each pytest under test, which writes nothing, would make it anew: that takes longer than its other imports.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

import pytest_tfkernel

for _module in pkgutil.walk_packages(pytest_tfkernel.__path__, f"{pytest_tfkernel.__name__}.", onerror=lambda _: None):
    # Those run when they are imported.
    if not _module.name.endswith(".__main__"):
        with contextlib.suppress(ImportError):
            importlib.import_module(_module.name)
