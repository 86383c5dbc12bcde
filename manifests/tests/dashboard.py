"""What the dashboard asks Prometheus for."""

import json
import re
from dataclasses import dataclass
from typing import Any

from render import MANIFESTS

LABEL = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True)
class Query:
    panel: str
    #: With a range of time in the place of Grafana's variable.
    expression: str
    #: What its legend names each series by.
    labels: tuple[str, ...] = ()


def dashboard() -> dict[str, Any]:
    return json.loads((MANIFESTS / "components/monitoring/dashboard.json").read_text())


def queries() -> list[Query]:
    return [Query(panel["title"], over(target["expr"], "1m"), tuple(LABEL.findall(target.get("legendFormat", ""))))
            for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def over(expression: str, interval: str) -> str:
    """With an interval in the place of Grafana's variable."""
    return expression.replace("$__rate_interval", interval)
