"""What a process tells while it collects all tests, and what that says of its files."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_tfkernel.processes.wire import Message


@dataclass
class Gathering:
    """Hears it. `told` is for pytest; `place` is the collector that began last.

    `unsafe` names the one after which a fork would do harm; `files` are all that have begun, `harmless` those before.
    """

    told: list[Message] = field(default_factory=list)
    place: Message | None = None
    unsafe: Message | None = None
    files: set[str] = field(default_factory=set)
    harmless: set[str] = field(default_factory=set)

    def hear(self, message: Message) -> None:
        """The next one."""
        if message["kind"] == "unsafe":
            self.unsafe = message
            return
        self.told.append(message)
        if message["kind"] == "collecting":
            self.place = message
            self.files.add(message["path"])
            if self.unsafe is None:
                self.harmless.add(message["path"])
