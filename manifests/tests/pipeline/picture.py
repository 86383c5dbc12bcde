"""The dashboard as a picture: its panels, with what Prometheus has seen. It follows the reader's light or dark."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

WIDTH, HEIGHT, GAP = 320, 128, 8
#: The area of the lines in a panel: from the left, from above, and how large.
LEFT, TOP, PLOT_WIDTH, PLOT_HEIGHT = 52, 26, 256, 58
LEGEND, MOST_NAMES = 12, 2
STYLE = """
text { font: 11px system-ui, sans-serif; fill: #4b5563 }
.title { font-weight: 600; fill: #111827 }
.row { font-size: 14px; font-weight: 600; fill: #111827 }
.panel { fill: #f8fafc; stroke: #d5dbe3 }
.page { fill: #ffffff }
.grid { stroke: #e2e8f0 }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #9ca3af }
  .title, .row { fill: #e5e7eb }
  .panel { fill: #1b222c; stroke: #323c49 }
  .page { fill: #0f141a }
  .grid { stroke: #2b3440 }
}
"""
#: Readable on both backgrounds.
COLOURS = ["#2f81f7", "#e0702f", "#2da44e", "#a475f9", "#d33b6a", "#8a8f12", "#0e9aa7", "#b0723c"]


@dataclass(frozen=True)
class Series:
    name: str
    #: Seconds since the beginning, and values.
    points: list[tuple[float, float]]


#: The series of an expression, from Prometheus.
Ask = Callable[[str], list[dict[str, Any]]]


def draw(dashboard: dict[str, Any], ask: Ask, seconds: float) -> str:
    """Each panel, three in a row, below the title of its row."""
    parts: list[str] = []
    y, column = float(GAP), 0
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            y += (HEIGHT + GAP) * (column > 0)
            column = 0
            parts.append(f'<text class="row" x="{GAP}" y="{y + 16:g}">{escape(panel["title"])}</text>')
            y += 26
            continue
        if column == 3:
            y, column = y + HEIGHT + GAP, 0
        x = GAP + column * (WIDTH + GAP)
        drawn = plot(panel["fieldConfig"]["defaults"]["unit"], list(series(panel, ask)), seconds)
        parts.append(f'<g transform="translate({x} {y:g})"><rect class="panel" width="{WIDTH}" height="{HEIGHT}" rx="6"/>'
                     f'<text class="title" x="10" y="17">{escape(panel["title"])}</text>{drawn}</g>')
        column += 1
    width, height = 3 * (WIDTH + GAP) + GAP, y + HEIGHT + GAP
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" role="img">\n'
            f"<title>The dashboard of task-app</title>\n<style>{STYLE}</style>\n")
    return f'{head}<rect class="page" width="{width}" height="{height:g}"/>\n' + "\n".join(parts) + "\n</svg>\n"


def series(panel: dict[str, Any], ask: Ask) -> Iterable[Series]:
    for target in panel["targets"]:
        for found in ask(target["expr"]):
            labels = found["metric"]
            name = re.sub(r"\{\{(\w+)\}\}", lambda match, labels=labels: labels.get(match[1], ""), target["legendFormat"])
            values = [(float(at), float(value)) for at, value in found["values"]]
            yield Series(name, [point for point in values if point[1] == point[1]])


def plot(unit: str, lines: list[Series], seconds: float) -> str:
    most = max((value for line in lines for _, value in line.points), default=0.0) or 1.0
    parts = [f'<path class="grid" d="M{LEFT} {TOP + down}h{PLOT_WIDTH}"/>' for down in (0, PLOT_HEIGHT)]
    parts += [f'<text x="{LEFT - 5}" y="{TOP + 8}" text-anchor="end">{with_unit(most, unit)}</text>',
              f'<text x="{LEFT - 5}" y="{TOP + PLOT_HEIGHT}" text-anchor="end">0</text>']
    for number, line in enumerate(lines):
        points = (f"{LEFT + at / seconds * PLOT_WIDTH:.1f},{TOP + (1 - value / most) * PLOT_HEIGHT:.1f}" for at, value in line.points)
        parts.append(f'<polyline class="line" stroke="{COLOURS[number % len(COLOURS)]}" points="{" ".join(points)}"/>')
    for number, line in enumerate(lines[:MOST_NAMES]):
        y = TOP + PLOT_HEIGHT + LEGEND * (number + 1) + 3
        more = f" and {len(lines) - MOST_NAMES} more" if number == MOST_NAMES - 1 and len(lines) > MOST_NAMES else ""
        parts.append(f'<path class="line" stroke="{COLOURS[number]}" d="M{LEFT} {y - 4}h12"/>'
                     f'<text x="{LEFT + 17}" y="{y}">{escape(line.name + more)}</text>')
    return "".join(parts)


def with_unit(value: float, unit: str) -> str:
    match unit:
        case "s" if value < 1:
            return f"{value * 1000:.3g} ms"
        case "s" if value < 3600:
            return f"{value:.3g} s"
        case "s":
            return f"{value / 3600:.3g} h"
        case "percentunit":
            return f"{value * 100:.3g} %"
        case "bytes":
            return f"{value / 1024:.3g} KiB"
        case "reqps" | "mps":
            return f"{value:.3g}/s"
        case _:
            return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
