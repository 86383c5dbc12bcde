"""Every pod is restricted, bounded, probed, and runs the one release."""

import re
from typing import Iterator

from render import Pod, Rendered, pods, secret_keys

PINNED = re.compile(r"^[0-9a-z./-]+@sha256:[0-9a-f]{64}$")


def restricted(rendered: Rendered) -> Iterator[str]:
    """As the Pod Security Standard `restricted`, and with a read-only root besides."""
    for pod in pods(rendered):
        security = pod.spec.get("securityContext", {})
        if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
            yield f"{pod}: may run as root"
        if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
            yield f"{pod}: no seccomp profile"
        if any(pod.spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
            yield f"{pod}: shares a namespace of its node"
        if any(not {"secret", "configMap", "emptyDir", "ephemeral"} & set(volume) for volume in pod.spec.get("volumes", [])):
            yield f"{pod}: a volume that is not its own"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod}: a token of Kubernetes, which it does not need"
        for container in pod.containers:
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                yield f"{pod}: privileges"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{pod}: a root file system that can be written"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{pod}: capabilities"


def bounded(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        for container in pod.containers:
            resources = container.get("resources", {})
            for kind in ("requests", "limits"):
                missing = {"cpu", "memory"} - set(resources.get(kind, {}))
                if missing:
                    yield f"{pod}: no {kind} of {sorted(missing)}"
            if resources.get("requests", {}).get("memory") != resources.get("limits", {}).get("memory"):
                yield f"{pod}: may be given less memory than it may use"


def jobs_end(rendered: Rendered) -> Iterator[str]:
    """A job ends, is tried again a few times only, and one run of a schedule does not meet the next."""
    for owner in rendered.kind("Job", "CronJob"):
        name = f"{owner['kind']} {owner['metadata']['name']}"
        job = owner["spec"]["jobTemplate"]["spec"] if owner["kind"] == "CronJob" else owner["spec"]
        if "activeDeadlineSeconds" not in job or "backoffLimit" not in job:
            yield f"{name}: may run or be tried for ever"
        if owner["kind"] == "Job" or owner["spec"].get("suspend"):
            continue
        if owner["spec"].get("concurrencyPolicy") != "Forbid" or "startingDeadlineSeconds" not in owner["spec"]:
            yield f"{name}: two may run at a time, or one long after its time"


def probed(rendered: Rendered) -> Iterator[str]:
    paths = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    for pod in pods(rendered):
        if pod.owner["kind"] != "Deployment":
            continue
        for probe, path in paths.items():
            if pod.container.get(probe, {}).get("httpGet") != {"path": path, "port": "health"}:
                yield f"{pod}: no {probe} of {path}"


def spread_and_rolled(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        if pod.owner["kind"] != "Deployment":
            continue
        spread = {each["topologyKey"] for each in pod.spec.get("topologySpreadConstraints", [])}
        if spread != {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}:
            yield f"{pod}: not spread over zones and nodes"
        if pod.owner["spec"].get("strategy", {}).get("rollingUpdate", {}).get("maxUnavailable") != 0:
            yield f"{pod}: an update makes a pod unavailable"


def one_release(rendered: Rendered) -> Iterator[str]:
    """One image, by its digest, in every pod and Lambda; and one that has PostgreSQL's programs, where these run."""
    images = [(str(pod), each["image"], runs_programs(pod)) for pod in pods(rendered) for each in pod.containers]
    images += [(f"Function {each['metadata']['name']}", each["spec"]["code"]["imageURI"], False)
               for each in rendered.kind("Function")]
    for name, image, has_programs in images:
        repository = rendered.values["BACKUP_REPOSITORY_URI" if has_programs else "REPOSITORY_URI"]
        if not PINNED.match(image):
            yield f"{name}: {image} is not pinned by digest"
        elif image.split("@")[0] != repository:
            yield f"{name}: {image} is not from {repository}"
    for kind in (False, True):
        found = {image for _, image, has_programs in images if has_programs == kind}
        if len(found) != 1:
            yield f"several images: {sorted(found)}"


def runs_programs(pod: Pod) -> bool:
    """Whether it runs programs of PostgreSQL: `pg_dump`, `pg_restore` or a server."""
    return pod.container["args"] in (["backup", "dump"], ["backup", "verify"])


def what_it_refers_to_exists(rendered: Rendered) -> Iterator[str]:
    secrets = {each["metadata"]["name"]: secret_keys(each) for each in rendered.kind("ExternalSecret")}
    for pod in pods(rendered):
        if not rendered.named("ServiceAccount", pod.spec.get("serviceAccountName", "")):
            yield f"{pod}: no service account of its own"
        for source in pod.container.get("envFrom", []):
            config = source.get("configMapRef", {}).get("name")
            if config and not rendered.named("ConfigMap", config):
                yield f"{pod}: no ConfigMap {config}"
            if "secretRef" in source and source["secretRef"]["name"] not in secrets:
                yield f"{pod}: nothing makes the secret {source['secretRef']['name']}"
        mounts = {each["name"]: each["mountPath"] for each in pod.container.get("volumeMounts", [])}
        for volume in pod.spec.get("volumes", []):
            if "secret" not in volume:
                continue
            secret = volume["secret"]["secretName"]
            files = [f"{mounts.get(volume['name'])}/{key}" for key in secrets.get(secret, [])]
            variables = {each.get("value") for each in pod.container.get("env", [])}
            if not variables & set(files):
                yield f"{pod}: no setting names a file of the secret {secret}"


RULES = [restricted, bounded, jobs_end, probed, spread_and_rolled, one_release, what_it_refers_to_exists]
