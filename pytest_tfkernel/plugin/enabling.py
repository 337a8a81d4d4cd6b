"""Adds the hooks of what a session was asked for. Imported when it was asked for something."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pytest_tfkernel.plugin import unheeded, workers
from pytest_tfkernel.plugin.asked import options_of
from pytest_tfkernel.plugin.options import INSIDE
from pytest_tfkernel.processes.search_path import standard_library_first


def enable(config: pytest.Config) -> None:
    """Register them. Raises pytest.UsageError."""
    options = options_of(config)
    if options.isolate == INSIDE:
        # What is told of tests, and what runs beside them, is pytest's own process's to do.
        options = replace(options, suite=False, reports=(), save=None, progress=None)
        options = replace(options, compare=None, fail_on=(), expect=None)
    elif not workers.is_worker(config):
        unheeded.refuse(config, options)
    on_github = options.suite and os.environ.get("GITHUB_ACTIONS") == "true"
    documents = on_github or options.reports or options.compare or options.fail_on or options.expect or options.progress
    if options.suite:
        with standard_library_first():
            from pytest_tfkernel.plugin.suite import hooks
        hooks.enable(config, options)
    if documents or options.save is not None:
        with standard_library_first():
            from pytest_tfkernel.plugin.documents import hooks as document_hooks
        document_hooks.enable(config, options)
    if options.gate != "off":
        with standard_library_first():
            from pytest_tfkernel.plugin.gate import hooks as gate_hooks
        gate_hooks.enable(config, options)
    if options.isolate not in {"off", INSIDE}:
        with standard_library_first():
            from pytest_tfkernel.plugin.isolation import hooks as isolation_hooks
        isolation_hooks.enable(config, options)
