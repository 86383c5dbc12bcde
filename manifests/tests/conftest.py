"""What the tests look at: each overlay, with each choice of hosts, as ArgoCD renders it."""

import pytest

from render import CHOICES, OVERLAYS, Rendered


@pytest.fixture(scope="session", params=[(overlay, choice) for overlay in OVERLAYS for choice in CHOICES],
                ids=lambda pair: "-".join(pair))
def rendered(request: pytest.FixtureRequest) -> Rendered:
    return Rendered.of(*request.param)
