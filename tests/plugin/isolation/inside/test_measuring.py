"""ProcessMeasuring in a process of tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from coverage import CoverageData

# In a process of its own: one that measures is no place for another one.
SCRIPT = """
import os, sys
from pytest_tfkernel.plugin.isolation.inside.measuring import ProcessMeasuring

told = {
    "folder": sys.argv[1], "config_file": False, "contexts": False, "environment": {"COVERAGE_PROCESS_START": "x"},
    "options": {"run:include": ["*/module.py"], "run:patch": ["_exit"]},
}
measuring = ProcessMeasuring(told)
assert os.environ["COVERAGE_PROCESS_START"] == "x"
sys.path.insert(0, sys.argv[2])
import module
module.one()
measuring.save()
if os.fork() == 0:
    measuring.forked()
    module.two()
    measuring.pause()
    module.three()
    measuring.resume()
    measuring.save()
    assert not [name for name in os.listdir("/proc/self/fd") if "data" in os.path.realpath("/proc/self/fd/" + name)]
    module.four()
    os._exit(0)
assert os.wait()[1] == 0
module.five()
measuring.save()
"""
NAMES = ("one", "two", "three", "four", "five")


def test_each_process_writes_what_it_has_run_since_it_was_forked(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    module = tmp_path / "module.py"
    module.write_text("".join(f"def {name}():\n    return 1\n" for name in NAMES))
    subprocess.run([sys.executable, "-c", SCRIPT, str(folder), str(tmp_path)], check=True)
    found = []
    for file in folder.iterdir():
        data = CoverageData(str(file))
        data.read()
        found.append(sorted(data.lines(str(module)) or ()))
        data.close(force=True)
    # The definitions, and what was called; what is after the last time that it was saved dies with its process.
    assert sorted(found) == [[1, 2, 3, 5, 7, 9, 10], [4]]
