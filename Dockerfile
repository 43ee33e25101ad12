# The image of both the workers and the web server: docker-compose.yml says which is which.

FROM python:3.11-slim AS build
WORKDIR /src
# All that is locked is fetched and checked here; from then on nothing comes from outside.
COPY requirements.lock ./
RUN pip wheel --no-cache-dir --require-hashes --requirement requirements.lock --wheel-dir /wheels
COPY pyproject.toml README.md LICENSE ./
COPY dateline.py ./
COPY config config
COPY feeds feeds
COPY worker worker
COPY web web
RUN pip install --no-cache-dir --no-index --find-links /wheels hatchling \
    && pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && python -m venv /opt/dateline \
    && /opt/dateline/bin/pip install --no-cache-dir --no-index --find-links /wheels dateline

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin dateline
COPY --from=build /opt/dateline /opt/dateline
ENV PATH=/opt/dateline/bin:$PATH \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8420
ENTRYPOINT ["dateline"]
CMD ["web"]
