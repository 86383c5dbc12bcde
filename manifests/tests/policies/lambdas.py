"""Lambdas have roles, logins and ways of their own, and the load balancer calls those that serve HTTP."""

import json
from typing import Iterator

from render import Object, Rendered

ALB = "alb.ingress.kubernetes.io/"
WAVE = "argocd.argoproj.io/sync-wave"
#: Where a setting of a Lambda is from, and which of them say whose it is.
SAME = {"DATABASE_URL": "DATABASE_PROXY_URL", "REDIS_URL": "REDIS_URL", "REDIS_SECRET_ARN": "REDIS_SECRET_ARN",
        "CURSOR_KEY_SECRET_ARN": "CURSORS_SECRET_ARN"}
OWN = {"DATABASE_SECRET_ARN": "DATABASE_SECRET_ARN_{}"}


def each_is_itself(rendered: Rendered) -> Iterator[str]:
    """Its role, and its login."""
    for function in rendered.kind("Function"):
        name, spec = function["metadata"]["name"], function["spec"]
        key = name.upper().replace("-", "_")
        if spec["name"] != f"task-app-{name}" or spec["imageConfig"]["command"] != [name]:
            yield f"{name}: another function"
        if spec["role"] != rendered.values[f"ROLE_ARN_{key}"]:
            yield f"{name}: the role of another"
        variables = spec["environment"]["variables"]
        for setting, value in SAME.items() | {(setting, value.format(key)) for setting, value in OWN.items()}:
            if setting in variables and variables[setting] != rendered.values[value]:
                yield f"{name}: {setting} is not {value}"


def who_needs_the_network_is_in_it(rendered: Rendered) -> Iterator[str]:
    zones = set(rendered.values["PRIVATE_SUBNET_IDS"].split(","))
    for function in rendered.kind("Function"):
        name, spec = function["metadata"]["name"], function["spec"]
        variables, network = spec["environment"]["variables"], spec.get("vpcConfig")
        if ("DATABASE_URL" in variables) != (network is not None):
            yield f"{name}: in the VPC without PostgreSQL, or the reverse"
        if not network:
            continue
        subnets = set(network["subnetIDs"])
        if len(subnets) < 2 or not subnets <= zones:
            yield f"{name}: not in two private subnets"
        if network["securityGroupIDs"] != [rendered.values["LAMBDA_SECURITY_GROUP_ID"]]:
            yield f"{name}: another security group"
        # Each of many Lambdas has connections of its own.
        if variables.get("DATABASE_TRANSACTION_POOLING") != "true" or int(variables["DATABASE_MAX_CONNECTIONS"]) > 2:
            yield f"{name}: not as the proxy needs it"


def the_load_balancer_calls_its_lambdas(rendered: Rendered) -> Iterator[str]:
    """By a target group of its own, which alone may: first the permission, then the target, then the rule."""
    for ingress in rendered.kind("Ingress"):
        name = ingress["metadata"]["name"]
        function = rendered.named("Function", name)
        if not function:
            if not rendered.named("Service", name):
                yield f"{name}: an ingress to nothing"
            continue
        alias, group = rendered.named("Alias", name), rendered.named("TargetGroup", name)
        if not alias or not group:
            yield f"{name}: no alias, or no target group"
            continue
        yield from (f"{name}: {mistake}" for mistake in calls(rendered, ingress, group, alias, function))


def calls(rendered: Rendered, ingress: Object, group: Object, alias: Object, function: Object) -> Iterator[str]:
    region, account = rendered.values["REGION"], rendered.values["ACCOUNT"]
    annotations = ingress["metadata"]["annotations"]
    backends = [path["backend"]["service"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]]
    for backend in backends:
        action = json.loads(annotations.get(f"{ALB}actions.{backend['name']}", "{}"))
        wanted = {"type": "forward", "targetGroupName": group["spec"]["name"]}
        if action != wanted or backend["port"] != {"name": "use-annotation"}:
            yield "the rule forwards to another target group"
    arn = f"arn:aws:lambda:{region}:{account}:function:{function['spec']['name']}:{alias['spec']['name']}"
    if group["spec"]["targetType"] != "lambda" or [each["id"] for each in group["spec"]["targets"]] != [arn]:
        yield "another target"
    if {"key": "lambda.multi_value_headers.enabled", "value": "true"} not in group["spec"]["attributes"]:
        yield "headers that are sent twice arrive once"
    if alias["spec"]["functionRef"]["from"]["name"] != function["metadata"]["name"] or alias["spec"]["functionVersion"] != "$LATEST":
        yield "the alias is of another function, or of an older release"
    if [{key: each[key] for key in each if key != "statementID"} for each in alias["spec"]["permissions"]] != [{
        "action": "lambda:InvokeFunction",
        "principal": "elasticloadbalancing.amazonaws.com",
        "sourceARN": f"arn:aws:elasticloadbalancing:{region}:{account}:targetgroup/{group['spec']['name']}/*",
    }]:
        yield "others may call it, or its target group may not"
    waves = [int(each["metadata"].get("annotations", {}).get(WAVE, 0)) for each in (alias, group, ingress)]
    if waves != sorted(set(waves)):
        yield "the permission, the target and the rule are not made in this order"


RULES = [each_is_itself, who_needs_the_network_is_in_it, the_load_balancer_calls_its_lambdas]
