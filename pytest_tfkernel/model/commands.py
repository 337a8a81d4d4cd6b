"""What the commands have in common."""

from __future__ import annotations

from pytest_tfkernel.model.resources import printable

# The exit code, and what goes to stdout and to stderr.
Answer = tuple[int, str, str]

# Neither a good answer nor a bad one. That of a usage error too, as argparse has it.
UNTOLD = 2


def untold(command: str, why: object) -> Answer:
    """That there is no answer, and why, in one line."""
    return UNTOLD, "", f"{command}: {printable(str(why))}\n"
