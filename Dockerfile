# The image of the platform, one for every process of it, and the emulator's (docs/deployment.md, "Images").
# A machine whose pip needs settings of its own passes them as a secret, which stays in no layer: --secret id=pip,src=pip.conf

FROM python:3.13-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv --without-pip /opt/zixly
COPY requirements/image.lock /build/
RUN --mount=type=cache,target=/var/cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python /opt/zixly install --quiet --require-hashes --only-binary :all: -r /build/image.lock

# What is in the image, with hashes, from the lock that it was made of: the same bytes each time.
FROM python:3.13-slim AS contents
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
RUN python -m venv --without-pip /opt/audit
COPY requirements/audit.lock /build/
RUN --mount=type=cache,target=/var/cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip --python /opt/audit install --quiet --require-hashes -r /build/audit.lock
COPY requirements/image.lock pyproject.toml /build/
WORKDIR /build
RUN /opt/audit/bin/python -W ignore -m cyclonedx_py requirements image.lock --pyproject pyproject.toml --output-reproducible --of JSON -o /build/sbom.cdx.json

# The emulator of AWS, in an image of its own: its packages are pinned apart from ours.
FROM python:3.13-slim AS ministack
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_CACHE_DIR=/var/cache/pip
COPY requirements/ministack.lock /build/
RUN --mount=type=cache,target=/var/cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf \
    pip install --quiet --require-hashes -r /build/ministack.lock \
  && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin zixly \
  && mkdir -p /state && chown zixly:zixly /state
ENV BIND_HOST=0.0.0.0 GATEWAY_PORT=4566 PERSIST_STATE=1 STATE_DIR=/state/services S3_PERSIST=1 S3_DATA_DIR=/state/s3 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 4566
HEALTHCHECK NONE
CMD ["ministack"]

# Ours.
FROM python:3.13-slim AS platform
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Zixly" \
  org.opencontainers.image.description="Webhooks in, Dagster runs out: the integration platform of a small agency" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
# The mount points belong to our user, so that volumes made over them do too.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin zixly \
  && mkdir -p /settings /secrets /objects /dagster/storage \
  && for part in bridge code daemon webserver worker sandbox postgres valkey gateway prometheus grafana; do mkdir "/settings/$part"; done \
  && chown -R zixly:zixly /settings /secrets /objects /dagster/storage && chmod 700 /secrets /objects \
  && ln -s /app/dagster.yaml /dagster/dagster.yaml
COPY --from=packages /opt/zixly /opt/zixly
COPY --from=contents /build/sbom.cdx.json /usr/share/zixly/sbom.cdx.json
COPY deploy/images/entrypoint deploy/images/zixly /usr/local/bin/
COPY . /app
ENV PATH=/opt/zixly/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
  DAGSTER_HOME=/dagster DAGSTER_GRPC_SHUTDOWN_GRACE_PERIOD=3 ZIXLY_WORKSPACE=/app/workspace.yaml ZIXLY_HOME=/tmp/zixly
RUN python -m compileall -q /app && echo /app >/opt/zixly/lib/python3.13/site-packages/zixly.pth
USER 10001:10001
WORKDIR /app
# Every process of ours is a module: `docker run zixly/platform python -m webhook_bridge`. Whether it works is asked where it is known which
# one it is (docker-compose.yml, the chart, the task definitions).
HEALTHCHECK NONE
ENTRYPOINT ["entrypoint"]
CMD ["zixly", "--help"]
