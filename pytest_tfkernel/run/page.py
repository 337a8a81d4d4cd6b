"""The page of one run: HTML that needs no network and no script."""

from __future__ import annotations

import html
from collections.abc import Iterator

from pytest_tfkernel.run import show
from pytest_tfkernel.run.memory import MemoryLine
from pytest_tfkernel.run.story import Story
from pytest_tfkernel.run.wishes import shown

_WIDTH, _HEIGHT = 640, 120
_STYLE = """\
body { font: 16px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark }
pre { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid #888; padding-left: .8rem }
svg { max-width: 100%; height: auto } polyline { fill: none; stroke: #1f77b4; stroke-width: 2 }
line { stroke: #d62728; stroke-dasharray: 6 4 } text { font-size: 12px; fill: currentColor }
"""


def render(found: Story) -> str:
    """All that is known of a run."""
    return "\n".join(_lines(found)).encode("utf-8", "backslashreplace").decode() + "\n"


def _lines(found: Story) -> Iterator[str]:
    title = html.escape(show.headline(found) if found.has_died else f"{found.name} ended with exit code {found.code}")
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>{title}</title>\n<style>\n{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>"
    for name, text in show.sections(found):
        yield f"<h2>{html.escape(name)}</h2>"
        if name == "memory":
            yield picture(found.memory)
        yield f"<pre>{html.escape(_clean(text))}</pre>"
    yield "</body>\n</html>"


def picture(line: MemoryLine) -> str:
    """Memory over time, with the limit where it is in sight."""
    end = max((one.seconds for one in line.samples), default=0.0) or 1.0
    near = line.limit is not None and line.limit.size <= 4 * max(line.peak, 1)
    top = max(line.peak, line.limit.size if near and line.limit is not None else 0, 1) * 1.05
    points = " ".join(
        f"{one.seconds / end * _WIDTH:.1f},{_HEIGHT - one.used / top * _HEIGHT:.1f}" for one in line.samples
    )
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" aria-label="memory over time">']
    parts.append(f'<polyline points="{points}"/>')
    if near and line.limit is not None:
        y = _HEIGHT - line.limit.size / top * _HEIGHT
        parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="4" y="{y + 14:.1f}">limit {html.escape(shown(line.limit.size))}</text>')
    return "".join([*parts, "</svg>"])


def _clean(text: str) -> str:
    """Without what no page may hold: characters that only a terminal knows."""
    return "".join(one if one.isprintable() or one in "\n\t" else ascii(one)[1:-1] for one in text)
