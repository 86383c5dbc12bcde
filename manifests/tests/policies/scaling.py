"""A function has one scaler at most, and git has no replicas where there is one."""

from collections import Counter
from typing import Iterator

from render import Rendered, pods, settings_of

SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def target(scaler: dict) -> str:
    return scaler["spec"]["scaleTargetRef"]["name"]


def one_scaler(rendered: Rendered) -> Iterator[str]:
    """Two would fight: KEDA makes an autoscaler of its own."""
    targets = Counter(target(each) for each in rendered.kind(*SCALERS))
    for name, count in targets.items():
        if count > 1:
            yield f"{name}: {count} scalers"
        if not rendered.named("Deployment", name):
            yield f"{name}: a scaler of nothing"


def replicas_have_one_owner(rendered: Rendered) -> Iterator[str]:
    scaled = {target(each) for each in rendered.kind(*SCALERS)}
    for deployment in rendered.kind("Deployment"):
        name = deployment["metadata"]["name"]
        if ("replicas" in deployment["spec"]) == (name in scaled):
            yield f"{name}: replicas in git and a scaler, or neither"


def http_is_never_alone(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        if pod.labels.get("app.kubernetes.io/component") == "http":
            scaler = rendered.named("HorizontalPodAutoscaler", pod.owner["metadata"]["name"])
            if not scaler or scaler["spec"]["minReplicas"] < 2:
                yield f"{pod}: may have one replica"


def consumers_scale_from_zero(rendered: Rendered) -> Iterator[str]:
    """By the queue that they consume, with what they hold, so that no pod is ended at its work."""
    for pod in pods(rendered):
        if pod.labels.get("app.kubernetes.io/component") != "consumer" or "replicas" in pod.owner["spec"]:
            continue
        scaler = rendered.named("ScaledObject", pod.owner["metadata"]["name"])
        if not scaler:
            yield f"{pod}: no scaler"
            continue
        if scaler["spec"].get("minReplicaCount") != 0:
            yield f"{pod}: not from zero"
        triggers = [each["metadata"] for each in scaler["spec"]["triggers"] if each["type"] == "aws-sqs-queue"]
        if [each["queueURL"] for each in triggers] != [settings_of(rendered, pod)["QUEUE_URL"]]:
            yield f"{pod}: scaled by another queue"
        if any(each.get("scaleOnInFlight") != "true" for each in triggers):
            yield f"{pod}: messages in flight do not count"


def disruptions_are_bounded(rendered: Rendered) -> Iterator[str]:
    """A drain of nodes ends one pod of a function at a time."""
    budgets = {
        each["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]: each["spec"]
        for each in rendered.kind("PodDisruptionBudget")
    }
    for pod in pods(rendered):
        if pod.owner["kind"] != "Deployment" or pod.owner["spec"].get("replicas") == 1:
            continue
        if budgets.get(pod.labels["app.kubernetes.io/name"], {}).get("maxUnavailable") != 1:
            yield f"{pod}: no disruption budget"


RULES = [one_scaler, replicas_have_one_owner, http_is_never_alone, consumers_scale_from_zero, disruptions_are_bounded]
