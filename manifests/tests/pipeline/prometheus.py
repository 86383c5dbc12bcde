"""A Prometheus that scrapes the pods on this machine as the PodMonitor has it scraped in a cluster."""

import json
import subprocess
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
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/query?{query}", timeout=20) as answer:
                return json.loads(answer.read())["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from error
        except OSError:
            return []  # it starts

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)
