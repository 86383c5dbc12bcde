"""What the dashboard asks Prometheus for."""

import json
from dataclasses import dataclass

from render import MANIFESTS


@dataclass(frozen=True)
class Query:
    panel: str
    #: With a range of time in the place of Grafana's variable.
    expression: str


def queries() -> list[Query]:
    dashboard = json.loads((MANIFESTS / "components/monitoring/dashboard.json").read_text())
    return [Query(panel["title"], target["expr"].replace("$__rate_interval", "1m"))
            for panel in dashboard["panels"] for target in panel.get("targets", [])]
