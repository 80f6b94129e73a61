# A graph on an NVIDIA GPU: docker build -f docker/gpu.Dockerfile -t gazegraph-gpu .
# CUDA comes out of the pinned wheels, and the driver from the machine, at the start: no image of NVIDIA's is needed.
FROM python:3.12-slim-bookworm
WORKDIR /gazegraph

# Before the checkout, so that a changed line does not install everything anew.
COPY requirements/gpu.txt requirements/gpu.txt
COPY docker/steps.sh docker/steps.sh
RUN sh docker/steps.sh install requirements/gpu.txt

COPY . .
RUN sh docker/steps.sh settle

# A number, as no user is needed to have a name here; any other does as well: --user "$(id -u):$(id -g)".
USER 1000:1000
RUN .venv/bin/python run_graph.py doctor
ENV HOME=/tmp PYTHONUNBUFFERED=1
# What of the driver gets into the container, which has no GPU while it is built: `video` is NVDEC, `utility` nvidia-smi.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,video,utility
# Kernels are compiled in tenths of a second: they need no place on the disk.
ENV CUPY_CACHE_IN_MEMORY=1
RUN sh docker/steps.sh try

VOLUME ["/gazegraph/out", "/gazegraph/models/fetched", "/gazegraph/models/prepared"]
EXPOSE 8700
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD [".venv/bin/python", "docker/healthy.py", "8700"]
ENTRYPOINT [".venv/bin/python", "run_graph.py"]
CMD ["graphs/retail.yaml", "--device", "cuda"]
