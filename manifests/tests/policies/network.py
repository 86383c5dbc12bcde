"""Pods receive and send what is named, and nothing else."""

from typing import Iterator

from render import Rendered, pods, settings_of

#: Ports that anything may be sent to, and to how far.
EGRESS = {53: "cluster", 80: "agent", 443: "anywhere", 5432: "vpc", 6379: "vpc"}


def denied_by_default(rendered: Rendered) -> Iterator[str]:
    deny = rendered.named("NetworkPolicy", "default-deny")
    if not deny or deny["spec"] != {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}:
        yield "no policy denies by default"


def exact_egress(rendered: Rendered) -> Iterator[str]:
    for policy in rendered.kind("NetworkPolicy"):
        name = policy["metadata"]["name"]
        for rule in policy["spec"].get("egress", []):
            if not rule.get("to") or not rule.get("ports"):
                yield f"{name}: everything"
                continue
            blocks = {peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer}
            for port in (each["port"] for each in rule["ports"]):
                allowed = {
                    "anywhere": {"0.0.0.0/0"},
                    "vpc": {rendered.values["VPC_CIDR"]},
                    "agent": {"169.254.170.23/32"},
                    "cluster": set(),
                }.get(EGRESS.get(port, ""))
                if allowed is None or not blocks <= allowed:
                    yield f"{name}: port {port} of {sorted(blocks)}"


def exact_ingress(rendered: Rendered) -> Iterator[str]:
    for policy in rendered.kind("NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            blocks = {peer["ipBlock"]["cidr"] for peer in rule.get("from", []) if "ipBlock" in peer}
            if not rule.get("from") or not blocks <= {rendered.values["VPC_CIDR"]}:
                yield f"{policy['metadata']['name']}: from everywhere"


def labels_say_what_it_needs(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        settings = settings_of(rendered, pod)
        for setting, label in (("DATABASE_URL_FILE", "postgresql"), ("REDIS_URL", "redis")):
            if (setting in settings) != (pod.labels.get(f"task-app.dev/{label}") == "client"):
                yield f"{pod}: {setting} and the label task-app.dev/{label} go together"


RULES = [denied_by_default, exact_egress, exact_ingress, labels_say_what_it_needs]
