"""A run as JSON: what `--report=FILE.json` writes, and what the page shows."""

from __future__ import annotations

import dataclasses
from typing import Any

from pytest_tfkernel.processes.postmortems.plain import plain
from pytest_tfkernel.run import advice
from pytest_tfkernel.run.story import Story

SCHEMA = 1


def of(story: Story) -> dict[str, Any]:
    """All of it, as plain data."""
    line = story.memory
    return {
        "schema": SCHEMA,
        "name": story.name,
        "code": story.code,
        "died": story.has_died,
        "kernel": story.kernel,
        "cell": story.cell,
        "fault": story.fault,
        "post_mortem": plain(story.post_mortem),
        "memory": {
            "samples": [[one.seconds, one.used] for one in line.samples],
            "peak": line.peak,
            "limit": dataclasses.asdict(line.limit) if line.limit is not None else None,
        },
        "oom": dataclasses.asdict(story.oom),
        "threads": [dataclasses.asdict(one) for one in story.threads],
        "left_behind": story.left_behind,
        "blind": [str(one) for one in story.audit.blind],
        "interrupts": story.interrupts,
        "advice": [{"matter": matter, "steps": steps} for matter, steps in advice.of(story)],
    }
