"""For each rule, ways to break it: what a slip of a hand would do to the manifests."""

import re
from typing import Any, Callable

from render import Object, Rendered, pod_template

Change = Callable[[Rendered], None]


def find(rendered: Rendered, kind: str, name: str) -> Object:
    """By its name, which may have a hash behind it."""
    names = re.compile(rf"{name}(-[0-9a-z]{{10}})?")
    found = next((each for each in rendered.kind(kind) if names.fullmatch(each["metadata"]["name"])), None)
    assert found, f"no {kind} {name}"
    return found


def at(kind: str, name: str, path: str, value: Any) -> Change:
    """Sets the value at a path of an object, with `~` for a `/` in a key; `None` removes it."""

    def change(rendered: Rendered) -> None:
        here: Any = find(rendered, kind, name)
        *parents, last = [int(key) if key.isdigit() else key.replace("~", "/") for key in path.split("/")]
        for key in parents:
            here = here[key]
        if value is None:
            del here[last]
        else:
            here[last] = value

    return change


def pod(name: str, path: str, value: Any, kind: str = "Deployment") -> Change:
    prefix = "spec/jobTemplate/spec/template/" if kind == "CronJob" else "spec/template/"
    return at(kind, name, prefix + path, value)


def without(kind: str, name: str) -> Change:
    return lambda rendered: rendered.objects.remove(find(rendered, kind, name))


def twice(kind: str, name: str) -> Change:
    return lambda rendered: rendered.objects.append(find(rendered, kind, name))


def value(name: str, text: str) -> Change:
    return lambda rendered: rendered.values.__setitem__(name, text)


def image_of_another_release(rendered: Rendered) -> None:
    container = pod_template(find(rendered, "Job", "migrate"))["spec"]["containers"][0]
    container["image"] = container["image"][:-1] + "f"


C = "spec/containers/0/"
ALB = "metadata/annotations/alb.ingress.kubernetes.io~"

BREAKAGES: list[tuple[str, str, Change]] = [
    ("restricted", "root", pod("task-reader", "spec/securityContext/runAsNonRoot", None)),
    ("restricted", "seccomp", pod("migrate", "spec/securityContext/seccompProfile", None, "Job")),
    ("restricted", "host", pod("task-reader", "spec/hostNetwork", True)),
    ("restricted", "host path", pod("task-reader", "spec/volumes/0", {"name": "x", "hostPath": {"path": "/"}})),
    ("restricted", "token", pod("dead-letters", "spec/automountServiceAccountToken", None, "CronJob")),
    ("restricted", "privileges", pod("task-reader", C + "securityContext/allowPrivilegeEscalation", True)),
    ("restricted", "writable", pod("task-reader", C + "securityContext/readOnlyRootFilesystem", False)),
    ("restricted", "beside", pod("backup-verify", "spec/initContainers/0/securityContext/readOnlyRootFilesystem", None, "CronJob")),
    ("restricted", "capabilities", pod("task-reader", C + "securityContext/capabilities/add", ["NET_RAW"])),
    ("bounded", "limit", pod("command-worker", C + "resources/limits/memory", None)),
    ("bounded", "request", pod("command-worker", C + "resources/requests/cpu", None)),
    ("bounded", "memory", pod("command-worker", C + "resources/requests/memory", "1Mi")),
    ("bounded", "beside", pod("backup-verify", "spec/initContainers/0/resources/limits", {}, "CronJob")),
    ("jobs_end", "never", at("CronJob", "backup", "spec/jobTemplate/spec/activeDeadlineSeconds", None)),
    ("jobs_end", "retries", at("Job", "migrate", "spec/backoffLimit", None)),
    ("jobs_end", "two", at("CronJob", "backup-verify", "spec/concurrencyPolicy", "Allow")),
    ("jobs_end", "late", at("CronJob", "backup-prune", "spec/startingDeadlineSeconds", None)),
    ("probed", "none", pod("outbox-relay", C + "readinessProbe", None)),
    ("probed", "path", pod("outbox-relay", C + "livenessProbe/httpGet/path", "/readyz")),
    ("spread_and_rolled", "one zone", pod("task-writer", "spec/topologySpreadConstraints", [])),
    ("spread_and_rolled", "unavailable", at("Deployment", "task-writer", "spec/strategy/rollingUpdate/maxUnavailable", 1)),
    ("one_release", "latest", pod("task-reader", C + "image", "task-app:latest")),
    ("one_release", "another release", image_of_another_release),
    ("one_release", "another registry", value("REPOSITORY_URI", "example.com/task-app")),
    ("one_release", "no programs", pod("backup", C + "image", "task-app:latest", "CronJob")),
    ("one_release", "beside", pod("backup-verify", "spec/initContainers/0/image", "postgres:17", "CronJob")),
    ("one_release", "lambda", at("Function", "history-projector", "spec/code/imageURI", "task-app:latest")),
    ("what_it_refers_to_exists", "account", without("ServiceAccount", "task-reader")),
    ("what_it_refers_to_exists", "settings", without("ConfigMap", "task-reader")),
    ("what_it_refers_to_exists", "secret", without("ExternalSecret", "cursor-key")),
    ("what_it_refers_to_exists", "file", at("ExternalSecret", "database-migrate", "spec/target/template/data", {"uri": ""})),
    ("one_scaler", "two", twice("ScaledObject", "command-worker")),
    ("one_scaler", "of nothing", at("ScaledObject", "command-worker", "spec/scaleTargetRef/name", "command-wroker")),
    ("replicas_have_one_owner", "both", at("Deployment", "command-worker", "spec/replicas", 3)),
    ("replicas_have_one_owner", "neither", at("Deployment", "outbox-relay", "spec/replicas", None)),
    ("http_is_never_alone", "one", at("HorizontalPodAutoscaler", "task-reader", "spec/minReplicas", 1)),
    ("consumers_scale_from_zero", "from one", at("ScaledObject", "command-worker", "spec/minReplicaCount", 1)),
    ("consumers_scale_from_zero", "busy", at("ScaledObject", "command-worker", "spec/triggers/0/metadata/scaleOnInFlight", "false")),
    ("consumers_scale_from_zero", "queue", at("ScaledObject", "command-worker", "spec/triggers/0/metadata/queueURL", "x")),
    ("consumers_scale_from_zero", "none", without("ScaledObject", "command-worker")),
    ("disruptions_are_bounded", "none", without("PodDisruptionBudget", "outbox-relay")),
    ("drains_end_before_the_kill", "kill", pod("task-reader", "spec/terminationGracePeriodSeconds", 29)),
    ("drains_end_before_the_kill", "unset", at("ConfigMap", "outbox-relay", "data/DRAIN_TIMEOUT_SECONDS", None)),
    ("drains_end_before_the_kill", "handler", at("ConfigMap", "command-worker", "data/HANDLER_TIMEOUT_SECONDS", "31")),
    ("drains_end_before_the_kill", "request", at("ConfigMap", "task-reader", "data/HTTP_REQUEST_TIMEOUT_MS", "15000")),
    ("load_balancer", "keep-alive", at("ConfigMap", "task-writer", "data/HTTP_KEEP_ALIVE_TIMEOUT_MS", "60000")),
    ("load_balancer", "notices", at("Ingress", "task-writer", ALB + "unhealthy-threshold-count", "3")),
    ("load_balancer", "deregisters", at("Ingress", "task-writer", ALB + "target-group-attributes",
                                        "deregistration_delay.timeout_seconds=300")),
    ("load_balancer", "path", at("Ingress", "task-writer", ALB + "healthcheck-path", "/livez")),
    ("lambdas_answer_in_time", "lambda visibility", at("Function", "history-projector", "spec/timeout", 41)),
    ("lambdas_answer_in_time", "lambda handler", at("Function", "history-projector", "spec/timeout", 30)),
    ("lambdas_answer_in_time", "lambda batch", at("EventSourceMapping", "history-projector", "spec/functionResponseTypes", [])),
    ("lambdas_answer_in_time", "lambda bound", at("EventSourceMapping", "history-projector", "spec/scalingConfig", None)),
    ("lambdas_answer_in_time", "lambda window",
     at("EventSourceMapping", "history-projector", "spec/maximumBatchingWindowInSeconds", 1)),
    ("lambdas_answer_in_time", "lambda none", without("Function", "history-projector")),
    ("load_balancer", "lambda late", at("Function", "task-reader", "spec/timeout", 60)),
    ("load_balancer", "lambda early", at("Function", "task-writer", "spec/timeout", 10)),
    ("each_is_itself", "lambda role", at("Function", "task-reader", "spec/role", "arn:aws:iam::111122223333:role/task-app-task-writer")),
    ("each_is_itself", "lambda command", at("Function", "task-reader", "spec/imageConfig/command/0", "task-writer")),
    ("each_is_itself", "lambda login", at("Function", "task-reader", "spec/environment/variables/DATABASE_SECRET_ARN",
                                          "arn:aws:secretsmanager:us-east-1:111122223333:secret:task-app/database/task-writer")),
    ("each_is_itself", "lambda token", at("Function", "task-reader", "spec/environment/variables/REDIS_SECRET_ARN", "x")),
    ("who_needs_the_network_is_in_it", "lambda outside", at("Function", "task-reader", "spec/vpcConfig", None)),
    ("who_needs_the_network_is_in_it", "lambda needless", at("Function", "history-projector", "spec/vpcConfig", {})),
    ("who_needs_the_network_is_in_it", "lambda zone", at("Function", "task-reader", "spec/vpcConfig/subnetIDs", ["subnet-00000000000000001"])),
    ("who_needs_the_network_is_in_it", "lambda group", at("Function", "task-reader", "spec/vpcConfig/securityGroupIDs", ["sg-00000000000000001"])),
    ("who_needs_the_network_is_in_it", "lambda sessions",
     at("Function", "command-worker", "spec/environment/variables/DATABASE_TRANSACTION_POOLING", None)),
    ("the_load_balancer_calls_its_lambdas", "nothing", without("Service", "task-reader")),
    ("the_load_balancer_calls_its_lambdas", "lambda alias", without("Alias", "task-reader")),
    ("the_load_balancer_calls_its_lambdas", "lambda rule",
     at("Ingress", "task-writer", ALB + "actions.task-writer", '{"type": "forward", "targetGroupName": "task-app-task-reader"}')),
    ("the_load_balancer_calls_its_lambdas", "lambda action", at("Ingress", "task-writer", ALB + "actions.task-writer", None)),
    ("the_load_balancer_calls_its_lambdas", "lambda target", at("TargetGroup", "task-reader", "spec/targets/0/id",
     "arn:aws:lambda:us-east-1:111122223333:function:task-app-task-writer:load-balancer")),
    ("the_load_balancer_calls_its_lambdas", "lambda headers", at("TargetGroup", "task-reader", "spec/attributes/0/value", "false")),
    ("the_load_balancer_calls_its_lambdas", "lambda release", at("Alias", "task-reader", "spec/functionVersion", "1")),
    ("the_load_balancer_calls_its_lambdas", "lambda everybody", at("Alias", "task-reader", "spec/permissions/0/principal", "*")),
    ("the_load_balancer_calls_its_lambdas", "lambda any group", at("Alias", "task-reader", "spec/permissions/0/sourceARN", None)),
    ("the_load_balancer_calls_its_lambdas", "lambda order", at("TargetGroup", "task-reader", "metadata/annotations/argocd.argoproj.io~sync-wave", "2")),
    ("denied_by_default", "none", without("NetworkPolicy", "default-deny")),
    ("denied_by_default", "some", at("NetworkPolicy", "default-deny", "spec/policyTypes", ["Ingress"])),
    ("exact_egress", "port", at("NetworkPolicy", "redis", "spec/egress/0/ports/0/port", 6380)),
    ("exact_egress", "everywhere", at("NetworkPolicy", "redis", "spec/egress/0/to/0/ipBlock/cidr", "0.0.0.0/0")),
    ("exact_egress", "no peer", at("NetworkPolicy", "redis", "spec/egress/0/to", None)),
    ("exact_ingress", "everywhere", at("NetworkPolicy", "load-balancer", "spec/ingress/0/from/0/ipBlock/cidr", "0.0.0.0/0")),
    ("exact_ingress", "no peer", at("NetworkPolicy", "metrics", "spec/ingress/0/from", None)),
    ("labels_say_what_it_needs", "without", pod("command-worker", "metadata/labels/task-app.dev~redis", None)),
    ("labels_say_what_it_needs", "needless", pod("history-projector", "metadata/labels/task-app.dev~postgresql", "client")),
    ("none_is_unknown", "misspelled", at("ConfigMap", "command-worker", "data/HANDLER_TIMEOUT_SECOND", "30")),
    ("none_is_unknown", "lambda", at("Function", "history-projector", "spec/environment/variables/LOG_LEVLE", "info")),
    ("none_is_missing", "required", at("ConfigMap", "task-reader", "data/AUTH_ISSUER", None)),
    ("none_is_missing", "of the account", at("ConfigMap", "task-writer", "data/COMMAND_QUEUE_URL", None)),
    ("none_is_missing", "database", pod("migrate", C + "env", [], "Job")),
    ("none_is_missing", "lambda", at("Function", "history-projector", "spec/environment/variables/QUEUE_URL", None)),
    ("none_is_missing", "backups", at("ConfigMap", "backup", "data/BACKUP_LOCATION", None)),
    ("none_is_unknown", "of another command", pod("backup-prune", C + "env/0/name", "SCRATCH_DATABASE_URL", "CronJob")),
    ("none_is_missing", "pod secret", pod("task-reader", C + "envFrom/2", {"configMapRef": {"name": "x"}})),
    ("none_is_missing", "lambda login", at("Function", "task-reader", "spec/environment/variables/DATABASE_SECRET_ARN", None)),
    ("none_is_missing", "lambda key", at("Function", "task-reader", "spec/environment/variables/CURSOR_KEY_SECRET_ARN", None)),
    ("none_is_missing", "lambda address", at("Function", "task-reader", "spec/environment/variables/DATABASE_URL", None)),
    ("secrets_are_in_no_setting", "lambda secret", at("Function", "task-reader", "spec/environment/variables/CURSOR_KEY", "x")),
    ("secrets_are_in_no_setting", "lambda url", at("Function", "task-reader", "spec/environment/variables/REDIS_URL", "rediss://:x@host")),
    ("secrets_are_in_no_setting", "key", at("ConfigMap", "task-reader", "data/CURSOR_KEY", "x")),
    ("secrets_are_in_no_setting", "url", at("ConfigMap", "task-reader", "data/X", "redis://:secret@host")),
    ("rate_limits_are_those_of_the_environment", "absent", at("ConfigMap", "task-reader", "data/RATE_LIMIT_LIST_BURST", None)),
    ("rate_limits_are_those_of_the_environment", "other", at("ConfigMap", "task-writer", "data/RATE_LIMIT_CALLER_PERCENT", "20")),
    ("rate_limits_are_those_of_the_environment", "lambda", at("Function", "task-writer", "spec/environment/variables/RATE_LIMIT_WRITE_BURST", None)),
    ("no_placeholder_is_left", "region", at("SecretStore", "aws", "spec/provider/aws/region", "account")),
    ("no_placeholder_is_left", "host", at("ExternalSecret", "redis", "spec/target/template/data/REDIS_URL", 'rediss://{{ "account" }}')),
    ("no_placeholder_is_left", "bucket", at("ConfigMap", "backup", "data/BACKUP_LOCATION", "s3://account/postgresql")),
    ("no_placeholder_is_left", "size", pod("backup-verify", "spec/volumes/0/ephemeral/volumeClaimTemplate/spec/resources/requests/storage",
                                           "environment", "CronJob")),
    ("names_are_those_of_the_resources", "queue", value("TASK_FACTS_QUEUE_URL", "https://sqs/1/tasks-facts.fifo")),
    ("names_are_those_of_the_resources", "table", value("TASK_HISTORY_TABLE", "history")),
    ("names_are_those_of_the_resources", "bucket", value("TASK_ATTACHMENTS_BUCKET", "files")),
    ("each_value_is_of_this_account", "account", value("REDIS_SECRET_ARN", "arn:aws:secretsmanager:us-east-1:1:secret:x")),
    ("each_value_is_of_this_account", "region", value("REDIS_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:111122223333:secret:x")),
    ("each_value_is_of_this_account", "queue", value("TASK_FACTS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/1/task-facts.fifo")),
]
