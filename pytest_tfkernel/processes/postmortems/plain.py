"""A post-mortem as JSON can carry it."""

from __future__ import annotations

import dataclasses
from typing import Any

from pytest_tfkernel.model.processes import PostMortem


def plain(found: PostMortem) -> dict[str, Any]:
    """All fields, in bytes and seconds, and the headline."""
    usage = found.usage
    return {
        "headline": found.headline(),
        "pid": found.process.pid,
        "generation": found.generation,
        "exit_code": found.exit_status.code if found.exit_status is not None else None,
        "signal": found.exit_status.signal if found.exit_status is not None else None,
        "cause": found.cause.value,
        "killer": found.killer.value,
        "uptime_seconds": found.uptime,
        "usage": dataclasses.asdict(usage) if usage is not None else None,
        "note": found.note,
        "last_cell": found.last_cell,
        "stack": found.stack,
        "stdout": found.stdout,
        "stderr": found.stderr,
        "stdout_cut": found.stdout_cut,
        "stderr_cut": found.stderr_cut,
        "children_oom_killed": found.children_oom_killed,
    }
