"""What stands for pytest's JUnit report in a process of tests: what they add to it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pytest_tfkernel.plugin.isolation.inside.terminal import Send


def stand_in(config: pytest.Config, family: str | None, send: Send) -> None:
    """Put one where the fixtures of pytest look for it, if pytest itself writes a report, of that `family`."""
    plugin = config.pluginmanager.get_plugin("junitxml")
    if plugin is not None and family is not None:
        found = config.stash[plugin.xml_key] = Records(family, send)
        # pytest takes it away again by itself.
        config.pluginmanager.register(found)


@dataclass(frozen=True)
class Records:
    """Takes what `record_testsuite_property` and `record_xml_attribute` give."""

    family: str
    send: Send = field(repr=False)

    def node_reporter(self, _: object) -> Records:
        """The part of the running test."""
        return self

    def add_attribute(self, name: str, value: object) -> None:
        """Of the running test."""
        self.send({"kind": "attribute", "name": str(name), "value": str(value)})

    def add_global_property(self, name: str, value: object) -> None:
        """Of the whole run. Raises TypeError as pytest does."""
        __tracebackhide__ = True
        if not isinstance(name, str):
            raise TypeError(f"name parameter needs to be a string, but {type(name).__name__} given")
        self.send({"kind": "property", "name": name, "value": str(value)})
