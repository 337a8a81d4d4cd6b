"""A run as it could be, with everything that a page can show; and a browser for the page.

Chromium and its driver are those of the distribution, of one version, and nothing is downloaded: Selenium speaks the
driver's standard protocol, where other tools bring a browser of their own.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

import documents
from pytest_tfkernel.report import document as parts

MakeRun = Callable[..., parts.Document]

_EXAMPLES = ("graph_add", "variable_assign", "gpu_matmul")
_DEADLY = ("sigkill", "sigterm", "sigsegv", "sigabrt", "exit", "os-exit-0", "oom-kill", "hang")
_HARMLESS = ("none", "index-error", "tf-index-error", "oom-memory-error", "interrupt")
_PHASES = ("importing", "running", "assigning", "saving", "exiting")
_SCENARIOS = ("names-are-private", "old-state-is-refused", "checkpoint-outlives-saver", "configuration-is-per-process")
_AFTER_DEATH = ("death-is-explained", "process-is-new", "session-is-rebuilt", "nothing-is-left")
_EXACT = {"graph_add": "graph-add", "variable_assign": "variable-assign", "gpu_matmul": "gpu-matmul"}
_MEBIBYTE = 1 << 20
_REPORT = """\
kernel 3 (pid {pid}, generation 1) died of {signal}: killed by us
last cell, which took 41 ms:
    session.run(variable.assign_add(1.0))
stderr, its last 3 lines:
    2026-11-26 14:02:11.093 I tensorflow/core/platform/cpu_feature_guard.cc:210] This TensorFlow binary is optimized to
    use available CPU instructions in performance-critical operations.
    \x1b[31mW tensorflow/core/framework/op_kernel.cc:1839\x1b[0m] OP_REQUIRES failed at resource_variable_ops.cc:152
stack of the main thread:
    File "<cell 4>", line 1 in <module>
    File "tensorflow/python/client/session.py", line 977 in run
    File "tensorflow/python/client/session.py", line 1220 in _run"""


_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Browser:
    """Shows pages. `driver` is Selenium's, which tools that check types may not have."""

    driver: Any
    folder: Path

    def show(
        self,
        page: str,
        width: int = 1280,
        scheme: str = "light",
        place: str = "",
        *,
        height: int = 900,
        script: bool = True,
    ) -> None:
        """Open a page at a place of it, and wait until it is there."""
        path = self.folder / "page.html"
        path.write_text(page, encoding="utf-8")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        self.driver.get("about:blank")
        self.driver.get(f"{path.as_uri()}{place}")

    def ask(self, script: str, *arguments: object) -> Any:
        """What an expression is worth in the page."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def complaints(self) -> list[str]:
        """What the console says, once."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests."""
    if importlib.util.find_spec("selenium") is None or shutil.which("chromedriver") is None:
        pytest.skip("no browser for pages: pip install selenium, apt-get install chromium chromium-driver")
    from selenium import webdriver

    binary = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if binary is None:
        pytest.skip("chromedriver has no browser: apt-get install chromium")
    folder = tmp_path_factory.mktemp("chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-crash-reporter",
        f"--user-data-dir={folder / 'profile'}",
        # Nothing but this machine: what a page would load from elsewhere fails, and is told.
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # What a browser leaves behind is left there.
    environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    service = webdriver.ChromeService(shutil.which("chromedriver"), env=environment)
    driver = webdriver.Chrome(options=options, service=service)
    try:
        yield Browser(driver, folder)
    finally:
        driver.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser; the test fails if the console said anything that it didn't ask for."""
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []


@pytest.fixture(scope="session")
def make_run() -> MakeRun:
    """Make one with as many kernels and provisioners as are asked for."""
    return _run


def _run(
    tensorflows: tuple[str, ...] = ("2.21.0",),
    provisioners: tuple[str, ...] = ("forkserver", "subprocess"),
    seed: int = 1,
    failing: tuple[str, ...] = ("sigabrt",),
) -> parts.Document:
    draw = random.Random(seed)
    kernels = [documents.kernel(version) for version in tensorflows]
    keys = [
        setting for kernel in kernels for provisioner in provisioners for setting in _keys(kernel.label, provisioner)
    ]
    trials = [_trial(setting, draw) for setting in keys]
    verdicts = [one for setting in keys for one in _verdicts(setting, failing)]
    empty = documents.document(0)
    gpu = "no NVIDIA driver: libnvidia-ml.so.1 was not found"
    return msgspec.structs.replace(
        empty,
        environment=msgspec.structs.replace(
            empty.environment,
            kernels=kernels,
            capabilities={
                "gpu": gpu,
                "spyder": "spyder_kernels is not installed: pip install 'pytest-tfkernel[spyder]'",
            },
            options=["--tfkernel", "-n", "2", "--tfkernel-report=run.json"],
        ),
        trials=trials,
        verdicts=verdicts,
        end=parts.End(seconds=75.2, exit_code=1, collected=len(verdicts) + 3),
    )


def _keys(label: str, provisioner: str) -> Iterator[parts.Setting]:
    places = [(example, fault, "idle") for fault in (*_HARMLESS, *_DEADLY) for example in _EXAMPLES]
    places += [
        ("variable_assign", fault, phase)
        for fault in ("sigkill", "sigterm", "sigsegv", "sigabrt")
        for phase in _PHASES
        if (phase == "importing") == (provisioner == "subprocess")
    ]
    places += [(name, "none", "idle") for name in _SCENARIOS]
    places += [("neighbour-is-unharmed", fault, "idle") for fault in ("sigkill", "oom-kill")]
    for example, fault, phase in places:
        yield parts.Setting(kernel=label, provisioner=provisioner, example=example, fault=fault, phase=phase)


def _verdicts(setting: parts.Setting, failing: tuple[str, ...]) -> Iterator[parts.Verdict]:
    if setting.example not in _EXAMPLES:
        yield documents.verdict(setting, setting.example)
        return
    yield documents.verdict(setting, "starts-blank")
    yield documents.verdict(setting, _EXACT[setting.example])
    if setting.fault == "none":
        yield documents.verdict(setting, "state-lives-with-process")
    elif setting.fault in _HARMLESS:
        reason = "RLIMIT_AS can't be lowered here: the limit of the container is below it"
        is_unknown = setting.fault == "oom-memory-error"
        yield documents.verdict(setting, "error-is-not-death", *(("UNKNOWN", reason) if is_unknown else ()))
    else:
        yield from _after_death(setting, failing)


def _after_death(setting: parts.Setting, failing: tuple[str, ...]) -> Iterator[parts.Verdict]:
    for guarantee in _AFTER_DEATH:
        yield documents.verdict(setting, guarantee)
    if setting.example != "variable_assign":
        return
    if setting.fault in failing and setting.provisioner == "forkserver" and setting.phase in {"idle", "saving"}:
        reason = "the variable read 2.0 before the initializer ran in generation 2: expected FailedPreconditionError"
        yield documents.verdict(setting, "variable-is-reset", "FAIL", reason)
    else:
        yield documents.verdict(setting, "variable-is-reset")


def _trial(setting: parts.Setting, draw: random.Random) -> parts.Trial:
    start = draw.gauss(0.024, 0.004) if setting.provisioner == "forkserver" else draw.gauss(2.3, 0.2)
    moments: list[parts.Moment] = []
    at = 0.0

    def moment(name: str, after: float, memory: float | None = None, threads: int = 0) -> None:
        nonlocal at
        at += abs(after)
        held: dict[str, Any] = {}
        if memory is not None:
            held = {"memory": int(memory * _MEBIBYTE), "threads": threads, "handles": 14 + threads // 4}
        moments.append(parts.Moment(name=name, seconds=at, **held))

    moment("started", start, 212 + draw.random() * 4, 4)
    moment("cell", draw.gauss(0.02, 0.002), 240 + draw.random() * 4, 17)
    moment("cell", draw.gauss(0.008, 0.001), 246 + draw.random() * 4, 19)
    moment("cell", draw.gauss(0.003, 0.0004), 246 + draw.random() * 4, 19)
    if setting.fault == "none":
        return documents.trial(setting, seconds=at, death=None, timeline=moments, result=2.0)
    moment("fault", 0.0004, 246.5, 19)
    if setting.fault in _HARMLESS:
        moment("cell", draw.gauss(0.01, 0.002), 247, 19)
        reply = {"error_type": "IndexError", "error_message": "list index out of range"}
        return documents.trial(setting, seconds=at, death=None, timeline=moments, result=2.0, **reply)
    moment("death", draw.gauss(0.006, 0.002))
    moment("noticed", draw.gauss(0.0007, 0.0001))
    moment("settled", draw.gauss(0.0018, 0.0004))
    moment("restarted", start, 213 + draw.random() * 4, 4)
    moment("rebuilt", draw.gauss(0.031, 0.004), 247 + draw.random() * 4, 19)
    name = {"exit": None, "os-exit-0": None, "oom-kill": "SIGKILL", "hang": "SIGKILL"}.get(
        setting.fault, setting.fault.upper()
    )
    report = _REPORT.format(pid=draw.randrange(2000, 30000), signal=name or "exit code 0")
    death = parts.Death(
        signal=name,
        code=0 if name is None else None,
        cause="exit" if name is None else "oom-kill" if setting.fault == "oom-kill" else "signal",
        killer="the kernel itself" if name is None else "us",
        uptime=at,
        cpu=start / 2,
        peak_memory=251 * _MEBIBYTE,
        report=report,
    )
    return documents.trial(setting, seconds=at, death=death, timeline=moments, result=2.0)
