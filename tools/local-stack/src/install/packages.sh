# shellcheck shell=sh
# Installs the given packages, and nothing that runs: their services are neither started now
# nor at the next boot, and PostgreSQL's package creates no database of its own.
# Everything that this changes for the installation is put back at its end.

policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
backup=$(mktemp)

restore() {
    if [ -s "$backup" ]; then cat "$backup" >"$clusters"; fi
    if [ -n "${our_policy:-}" ]; then rm -f "$policy"; fi
    rm -f "$backup"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP

if [ ! -e "$policy" ]; then
    our_policy=yes
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi

get() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@"
}

services=
# A foreign source that is broken need not matter for what is wanted here.
get update || echo 'continuing with the package lists that are there' >&2
for package in "$@"; do
    case $package in
    postgresql)
        get install postgresql-common
        if [ -e "$clusters" ]; then
            cat "$clusters" >"$backup"
            echo 'create_main_cluster = false' >>"$clusters"
        fi
        services="$services postgresql"
        ;;
    redis-server) services="$services redis-server" ;;
    esac
done
get install "$@"

if [ -d /run/systemd/system ]; then
    for service in $services; do systemctl disable --quiet "$service" || true; done
fi
