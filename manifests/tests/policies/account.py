"""Every value of the account reaches its place, and names what the resources are named."""

import json
from typing import Any, Iterator

from render import ROOT, Rendered

#: What a manifest has where a value of the account goes.
PLACEHOLDERS = {"account", "environment", "settings"}
#: The same inside of a text.
INSIDE = ('"account"', "//account/")


def no_placeholder_is_left(rendered: Rendered) -> Iterator[str]:
    for each in rendered.objects:
        for path, value in leaves(each, ""):
            if value in PLACEHOLDERS or any(each in str(value) for each in INSIDE):
                yield f"{each['kind']} {each['metadata']['name']}: {path}"


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{path}.{key}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from leaves(each, f"{path}.{index}")
    else:
        yield path, value


def names_are_those_of_the_resources(rendered: Rendered) -> Iterator[str]:
    described = json.loads((ROOT / "shared/resources/resources.json").read_text())
    queues = {each["name"] for each in described["queues"].values()}
    tables = {each["name"] for each in described["tables"].values()}
    buckets = {each["name"] for each in described["buckets"].values()}
    for key, value in rendered.values.items():
        name = value.split("/")[-1].split(":")[-1]
        if key.endswith(("_QUEUE_URL", "_QUEUE_ARN")) and name not in queues:
            yield f"{key}: no queue is named {name}"
        if key.endswith("_TABLE") and name not in tables:
            yield f"{key}: no table is named {name}"
        if key.endswith("_BUCKET") and not any(name.startswith(bucket) for bucket in buckets):
            yield f"{key}: no bucket is named {name}"


def each_value_is_of_this_account(rendered: Rendered) -> Iterator[str]:
    account, region = rendered.values["ACCOUNT"], rendered.values["REGION"]
    for key, value in rendered.values.items():
        if value.startswith("arn:") and value.split(":")[4] not in ("", account):
            yield f"{key}: of another account"
        if value.startswith("arn:") and value.split(":")[3] not in ("", region):
            yield f"{key}: of another region"
        if key.endswith(("_QUEUE_URL", "_URI")) and (account not in value or region not in value):
            yield f"{key}: of another account or region"


RULES = [no_placeholder_is_left, names_are_those_of_the_resources, each_value_is_of_this_account]
