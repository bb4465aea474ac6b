# maskdet's server on a processor: docs/serve/container.md says how to run it.
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY maskdet/ maskdet/
COPY detector/ detector/
COPY classifier/ classifier/
COPY datasets/ datasets/
COPY weights/ weights/
RUN python -m venv /opt/maskdet && /opt/maskdet/bin/pip install --no-cache-dir ".[serve]"
# OpenCV without windows, which needs none of X11's libraries. PyAV writes videos, which a server does not; and what
# only installing needs goes too.
RUN version=$(/opt/maskdet/bin/python -c "from importlib.metadata import version; print(version('opencv-python'))") \
    && /opt/maskdet/bin/pip uninstall --yes opencv-python \
    && /opt/maskdet/bin/pip install --no-cache-dir --no-deps "opencv-python-headless==$version" \
    && /opt/maskdet/bin/pip uninstall --yes av setuptools pip

FROM python:${PYTHON}-slim
COPY --from=build /opt/maskdet /opt/maskdet
ENV PATH=/opt/maskdet/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
# Nobody in particular: no right to anything, and nothing is written.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["maskdet"]
CMD ["serve", "--host", "0.0.0.0"]
