# The server in a container: everything that it keeps is in the volume /data.

FROM python:3.11-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE hatch_build.py package.json package-lock.json ./
COPY src src
RUN python -m venv /opt/trueup && /opt/trueup/bin/pip install --no-cache-dir .

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin trueup \
    && install -d -o trueup -g trueup -m 0700 /data
COPY --from=build /opt/trueup /opt/trueup
ENV PATH=/opt/trueup/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TRUEUP_HOST=0.0.0.0 \
    TRUEUP_PORT=8080 \
    TRUEUP_DATABASE_URL=sqlite:////data/trueup.db \
    TRUEUP_FOLDER=/data/files
USER trueup
WORKDIR /data
VOLUME /data
EXPOSE 8080
# The start takes some seconds, and may have to update the tables first.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as ask; ask.urlopen(f'http://127.0.0.1:{os.environ[\"TRUEUP_PORT\"]}/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["trueup"]
CMD ["serve"]
