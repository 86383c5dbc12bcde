"""What the OpenAPI document cannot say of a request that is good."""

import itertools
import re

import schemathesis

NUMBERS = itertools.count(1)
TAGS = re.compile(r'\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*')
NOT_PLAIN = re.compile(r"[^!#-\[\]-~]")


@schemathesis.hook
def map_case(context, case):
    """A key belongs to one request, and a cursor is one that a page has given."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    headers, query = case.headers or {}, case.query or {}
    if "Idempotency-Key" in headers:
        key = headers["Idempotency-Key"]
        mine = f"{NOT_PLAIN.sub('', key)[:100]}-{next(NUMBERS)}"
        headers["Idempotency-Key"] = f'"{mine}"' if key.startswith('"') else mine
    # The tool has an idea of its own of this header, which the document's pattern spoils.
    if not TAGS.fullmatch(headers.get("If-Match", "*")):
        headers["If-Match"] = "*"
    query.pop("cursor", None)
    return case
