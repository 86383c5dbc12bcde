"""What must hold of rendered manifests, beyond their schemas: each rule lists what breaks it."""

from policies import account, functions, lambdas, network, pods, scaling, timing

RULES = [rule for module in (account, functions, lambdas, network, pods, scaling, timing) for rule in module.RULES]
