"""`python -m benchmarks.run [NAME ...]`: run all benchmarks, or those that are named, and print a table.

Exit code 1 when a benchmark crashed, and with --strict also when a target was missed or not measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence

from benchmarks import (
    audit_time,
    clean_cycles,
    compare_time,
    document_cost,
    gate_overhead,
    history_time,
    host_latency,
    idle_plugin,
    isolation,
    isolation_bounds,
    memory,
    planted_leaks,
    post_mortem_latency,
    restart_latency,
    suite_time,
    thousand_kernels,
)
from benchmarks.figure import Figure, number
from pytest_tfkernel.kernels.launcher import Launcher

BENCHMARKS: dict[str, Callable[[str], list[Figure]]] = {
    "restart_latency": restart_latency.measure,
    "post_mortem_latency": post_mortem_latency.measure,
    "idle_plugin": idle_plugin.measure,
    "suite_time": suite_time.measure,
    "memory": memory.measure,
    "thousand_kernels": thousand_kernels.measure,
    "audit_time": audit_time.measure,
    "clean_cycles": clean_cycles.measure,
    "planted_leaks": planted_leaks.measure,
    "gate_overhead": gate_overhead.measure,
    "isolation": isolation.measure,
    "isolation_bounds": isolation_bounds.measure,
    "host_latency": host_latency.measure,
    "document_cost": document_cost.measure,
    "compare_time": compare_time.measure,
    "history_time": history_time.measure,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run", description="Measure the project against its targets."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the kernels (default: this one)")
    parser.add_argument("--strict", action="store_true", help="exit 1 also when a target was not met")
    options = parser.parse_args(argv)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"{', '.join(unknown)}: choose from {', '.join(BENCHMARKS)}")
    print(machine(options.python), flush=True)
    figures: list[Figure] = []
    crashed = []
    for name in options.names or BENCHMARKS:
        print(f"measuring {name} ...", flush=True)
        try:
            figures += BENCHMARKS[name](options.python)
        except Exception:  # noqa: BLE001 - the other figures are wanted all the same
            traceback.print_exc()
            crashed.append(name)
    print("\n" + table(figures))
    for name in crashed:
        print(f"CRASHED: {name} (see its traceback above)")
    missed = any(figure.verdict != "met" for figure in figures)
    return 1 if crashed or (options.strict and missed) else 0


def machine(python: str) -> str:
    """What the figures were measured on."""
    with Launcher() as launcher:
        kernels = launcher.interpreter(python)
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"{cores} cores (load {load:.2f}), Linux {platform.release()}; pytest's Python {platform.python_version()};"
        f" kernels: {kernels}"
    )


def table(figures: Sequence[Figure]) -> str:
    """The figures in aligned columns, each with its details on the next line."""
    rows = [("figure", "measured", "target", "")]
    for figure in figures:
        measured = "-" if figure.measured is None else _number(figure.measured, figure.unit)
        verdict = figure.verdict.upper() if figure.verdict != "met" else "met"
        rows.append((figure.name, measured, f"<= {_number(figure.target, figure.unit)}", verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip() for row in rows]
    details = ["", *(f"    {figure.detail}" if figure.detail else "" for figure in figures)]
    return "\n".join(text for pair in zip(lines, details, strict=True) for text in pair if text)


def _number(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
