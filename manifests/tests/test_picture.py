"""The picture of the dashboard, drawn of what Prometheus might say."""

import math
from typing import Any
from xml.etree import ElementTree

from dashboard import dashboard
from pipeline.picture import draw, with_unit

SVG = "{http://www.w3.org/2000/svg}"


def some(expression: str) -> list[dict[str, Any]]:
    """Three series, with a name that must be escaped and a value that is no number; nothing for one panel."""
    if "outbox_parked_facts" in expression:
        return []
    metric = {"queue": "<a&b>", "app_kubernetes_io_name": "task-reader", "status": "200"}
    return [{"metric": metric, "values": [(at, "NaN" if at == 3 else str(at * factor)) for at in range(10)]} for factor in (0, 1, 2)]


def test_every_panel_is_drawn() -> None:
    root = ElementTree.fromstring(draw(dashboard(), some, 10))
    texts = [each.text for each in root.iter(f"{SVG}text")]
    assert {panel["title"] for panel in dashboard()["panels"]} <= set(texts)
    assert "<a&b> and 1 more" in texts, "a name is escaped, and what has no room is counted"
    points = [pair.split(",") for line in root.iter(f"{SVG}polyline") for pair in line.attrib["points"].split()]
    assert points and all(math.isfinite(float(x)) and math.isfinite(float(y)) for x, y in points)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for group in root.iter(f"{SVG}g"):
        x, y = map(float, group.attrib["transform"].removeprefix("translate(").removesuffix(")").split())
        (panel,) = [each for each in group.iter(f"{SVG}rect")]
        assert x + float(panel.attrib["width"]) <= width and y + float(panel.attrib["height"]) <= height


def test_values_have_their_unit() -> None:
    cases = {(0.0123, "s"): "12.3 ms", (12.0, "s"): "12 s", (0.5, "percentunit"): "50 %", (2048.0, "bytes"): "2 KiB", (3.0, "mps"): "3/s",
             (2.0, "short"): "2", (2222.0, "short"): "2,222", (7200.0, "s"): "2 h"}
    assert {case: with_unit(*case) for case in cases} == cases
