"""A Prometheus that scrapes the pods on this machine as the PodMonitor has it scraped in a cluster."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from environment import Running, free_port


class Prometheus:
    def __init__(self, running: list[Running], folder: Path) -> None:
        targets = [{"targets": [f"127.0.0.1:{each.health}"], "labels": {"app_kubernetes_io_name": each.name.split()[-1]}}
                   for each in running]
        scrapes = [{"job_name": "task-app/task-app", "scrape_interval": "1s", "scrape_timeout": "1s", "static_configs": targets}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({"scrape_configs": scrapes}))
        self.address = f"127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/prometheus",
             f"--web.listen-address={self.address}", "--log.level=error"])

    def query(self, expression: str) -> list[Any]:
        return self.ask("query", query=expression)

    def history(self, expression: str, begun: float) -> list[Any]:
        """Its series since a time, with seconds since then."""
        found = self.ask("query_range", query=expression, start=begun, end=time.time(), step=1)
        return [each | {"values": [(at - begun, value) for at, value in each["values"]]} for each in found]

    def ask(self, what: str, **parameters: Any) -> list[Any]:
        expression = parameters["query"]
        try:
            url = f"http://{self.address}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
            with urllib.request.urlopen(url, timeout=20) as answer:
                return json.loads(answer.read())["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        except OSError:
            return []  # it starts

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
