# syntax=docker/dockerfile:1
# The one image: every function, as a pod (`args: [command-worker]`) and as a Lambda
# (`imageConfig.command`). It has no shell, no package manager and no root user.
#
#   docker build --tag task-app .                            # compiles it
#   docker build --tag task-app --build-arg BINARY=given .   # takes target/release/task-app
#
# Lambda accepts a single manifest and no index, and an attestation makes an index: build with
# `--provenance=false --sbom=false`, and attach these to the digest in the registry.

# Its glibc is that of the root below.
ARG RUST=rust:1.95.0-slim-trixie
ARG DEBIAN=debian:trixie-slim
ARG BINARY=compiled

# hadolint ignore=DL3006
FROM ${RUST} AS compiled
WORKDIR /src
COPY . .
ENV SQLX_OFFLINE=true CARGO_INCREMENTAL=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package task-app && \
    functions/task-app/strip target/release/task-app && \
    cp target/release/task-app /task-app

FROM scratch AS given
COPY target/release/task-app /task-app

# hadolint ignore=DL3006
FROM ${BINARY} AS binary

# What the binary needs of a system: the same for every release, so that its layer stays as it is.
# hadolint ignore=DL3006
FROM ${DEBIAN} AS root
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/*
COPY functions/task-app/image/root functions/task-app/image/rds.pem /build/
RUN /build/root /image

# For `backup dump` and `backup verify`: the same binary beside PostgreSQL of the server's major version, whose
# programs need libraries and so a system. The server is the scratch server of a verification. It compiles no
# queries, so the compiler that Debian brings with it goes: it is a third of the image.
#
#   docker build --target backup --tag task-app-backup .
#
# hadolint ignore=DL3006
FROM ${DEBIAN} AS backup
ARG POSTGRES=17
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates "postgresql-${POSTGRES}" && \
    apt-get clean && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/lib/postgresql /etc/ssl/private /etc/ssl/certs/ssl-cert-* \
        /usr/lib/*/libLLVM*.so* /usr/lib/*/libz3.so* && \
    echo 'task-app:x:65532:65532::/tmp:/usr/sbin/nologin' >>/etc/passwd && \
    echo 'task-app:x:65532:' >>/etc/group
COPY functions/task-app/image/rds.pem /etc/ssl/rds.pem
COPY functions/task-app/image/scratch-server /scratch-server
COPY --from=binary /task-app /task-app
USER 65532:65532
ENTRYPOINT ["/task-app"]

FROM scratch AS functions
COPY --from=root /image /
COPY --from=binary /task-app /task-app
USER 65532:65532
ENTRYPOINT ["/task-app"]
