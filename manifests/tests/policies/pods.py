"""Every pod is restricted, bounded, probed, and runs the one release."""

import re
from typing import Iterator

from render import Rendered, pods, secret_keys

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
        if any(not {"secret", "configMap", "emptyDir"} & set(volume) for volume in pod.spec.get("volumes", [])):
            yield f"{pod}: a volume that is not its own"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod}: a token of Kubernetes, which it does not need"
        for container in pod.spec["containers"] + pod.spec.get("initContainers", []):
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("privileged"):
                yield f"{pod}: privileges"
            if own.get("readOnlyRootFilesystem") is not True:
                yield f"{pod}: a root file system that can be written"
            if own.get("capabilities") != {"drop": ["ALL"]}:
                yield f"{pod}: capabilities"


def bounded(rendered: Rendered) -> Iterator[str]:
    for pod in pods(rendered):
        resources = pod.container.get("resources", {})
        for kind in ("requests", "limits"):
            missing = {"cpu", "memory"} - set(resources.get(kind, {}))
            if missing:
                yield f"{pod}: no {kind} of {sorted(missing)}"
        if resources.get("requests", {}).get("memory") != resources.get("limits", {}).get("memory"):
            yield f"{pod}: may be given less memory than it may use"


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
    """One image, by its digest, in every pod and Lambda."""
    images = {str(pod): pod.container["image"] for pod in pods(rendered)}
    images |= {f"Function {each['metadata']['name']}": each["spec"]["code"]["imageURI"] for each in rendered.kind("Function")}
    for name, image in images.items():
        if not PINNED.match(image):
            yield f"{name}: {image} is not pinned by digest"
        elif image.split("@")[0] != rendered.values["REPOSITORY_URI"]:
            yield f"{name}: {image} is not from {rendered.values['REPOSITORY_URI']}"
    if len(set(images.values())) != 1:
        yield f"several images: {sorted(set(images.values()))}"


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
            secret = volume.get("secret", {}).get("secretName")
            files = [f"{mounts.get(volume['name'])}/{key}" for key in secrets.get(secret, [])]
            variables = {each.get("value") for each in pod.container.get("env", [])}
            if not variables & set(files):
                yield f"{pod}: no setting names a file of the secret {secret}"


RULES = [restricted, bounded, probed, spread_and_rolled, one_release, what_it_refers_to_exists]
