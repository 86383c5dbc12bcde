"""Times that stand in several places, and must agree."""

import json
from typing import Any, Iterator

from render import ROOT, Rendered, pods, settings_of

#: The process ends this long before it would be killed (`DRAIN_TIMEOUT_SECONDS` in `--help`).
MARGIN = 5
ANNOTATION = "alb.ingress.kubernetes.io/"


def queues() -> list[dict[str, Any]]:
    return list(json.loads((ROOT / "shared/resources/resources.json").read_text())["queues"].values())


def drains_end_before_the_kill(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        if pod.owner["kind"] != "Deployment":
            continue
        settings = settings_of(rendered, pod)
        drain = int(settings.get("DRAIN_TIMEOUT_SECONDS", 0))
        if not drain or drain + MARGIN > pod.spec["terminationGracePeriodSeconds"]:
            yield f"{pod}: killed {pod.spec['terminationGracePeriodSeconds']} s after SIGTERM, drains for {drain or '?'} s"
        if "QUEUE_URL" in settings and drain < int(settings["HANDLER_TIMEOUT_SECONDS"]) + MARGIN:
            yield f"{pod}: a handler may take longer than the drain"
        if "HTTP_REQUEST_TIMEOUT_MS" in settings:
            needed = int(settings["HTTP_LAME_DUCK_SECONDS"]) + int(settings["HTTP_REQUEST_TIMEOUT_MS"]) / 1000 + 1
            if drain < needed:
                yield f"{pod}: a request may take longer than the drain"


def load_balancer(rendered: Rendered) -> Iterator[str]:
    """It closes idle connections before the pods do, and notices in time that a pod drains."""
    for ingress in rendered.kind("Ingress"):
        name = ingress["metadata"]["name"]
        annotations = ingress["metadata"]["annotations"]
        idle = attribute(annotations, "load-balancer-attributes", "idle_timeout.timeout_seconds")
        function = rendered.named("Function", name)
        if function:
            timeout = function["spec"]["timeout"]
            if not int(function["spec"]["environment"]["variables"]["HTTP_REQUEST_TIMEOUT_MS"]) / 1000 < timeout < idle:
                yield f"{name}: an invocation ends before its request, or after the load balancer has given it up"
            continue
        pod = next(each for each in pods(rendered) if each.owner["metadata"]["name"] == name)
        settings = settings_of(rendered, pod)
        if int(settings["HTTP_KEEP_ALIVE_TIMEOUT_MS"]) <= idle * 1000:
            yield f"{name}: pods close connections that the load balancer still uses"
        notices = int(annotations[ANNOTATION + "healthcheck-interval-seconds"]) * int(
            annotations[ANNOTATION + "unhealthy-threshold-count"]
        )
        lame_duck = int(settings["HTTP_LAME_DUCK_SECONDS"])
        if notices > lame_duck:
            yield f"{name}: the load balancer sends to a pod that has closed its listener"
        delay = attribute(annotations, "target-group-attributes", "deregistration_delay.timeout_seconds")
        if delay > lame_duck + int(settings["HTTP_REQUEST_TIMEOUT_MS"]) / 1000:
            yield f"{name}: a pod is ended while the load balancer still waits for it"
        if annotations[ANNOTATION + "healthcheck-path"] != "/readyz":
            yield f"{name}: a pod that drains looks healthy"


def attribute(annotations: dict[str, str], annotation: str, name: str) -> int:
    pairs = dict(each.split("=") for each in annotations[ANNOTATION + annotation].split(","))
    return int(pairs[name])


def lambdas_answer_in_time(rendered: Rendered) -> Iterator[str]:
    """AWS asks for a visibility timeout of six times the function's, and the batch window."""
    by_name = {each["name"]: each for each in queues()}
    for mapping in rendered.kind("EventSourceMapping"):
        name = mapping["metadata"]["name"]
        spec = mapping["spec"]
        queue = by_name[spec["eventSourceARN"].split(":")[-1]]
        function = rendered.named("Function", spec["functionRef"]["from"]["name"])
        if not function:
            yield f"{name}: a mapping to no function"
            continue
        window = spec.get("maximumBatchingWindowInSeconds", 0)
        if queue["visibilityTimeoutSeconds"] < 6 * function["spec"]["timeout"] + window:
            yield f"{name}: messages are visible again while the function has them"
        variables = function["spec"]["environment"]["variables"]
        if int(variables["HANDLER_TIMEOUT_SECONDS"]) >= function["spec"]["timeout"]:
            yield f"{name}: the invocation ends before its handler does"
        if spec.get("functionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{name}: one message fails its batch"
        if spec.get("scalingConfig", {}).get("maximumConcurrency", 0) < 2:
            yield f"{name}: no bound of its concurrency that AWS accepts"
        if "fifo" in queue and (window or spec["batchSize"] > 10):
            yield f"{name}: a FIFO queue has no batch window, and batches of ten"


RULES = [drains_end_before_the_kill, load_balancer, lambdas_answer_in_time]
