# A graph on the CPU: docker build -f docker/cpu.Dockerfile -t gazegraph .
# Python and its libraries are all that it needs of a system, and packages come as wheels: the slim image, one stage.
FROM python:3.12-slim-bookworm
WORKDIR /gazegraph

# Before the checkout, so that a changed line does not install everything anew.
COPY requirements/run.txt requirements/run.txt
COPY docker/steps.sh docker/steps.sh
RUN sh docker/steps.sh install requirements/run.txt

COPY . .
RUN sh docker/steps.sh settle

# A number, as no user is needed to have a name here; any other does as well: --user "$(id -u):$(id -g)".
USER 1000:1000
RUN .venv/bin/python run_graph.py doctor
ENV HOME=/tmp PYTHONUNBUFFERED=1
RUN sh docker/steps.sh try

VOLUME ["/gazegraph/out", "/gazegraph/models/fetched", "/gazegraph/models/prepared"]
EXPOSE 8700
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD [".venv/bin/python", "docker/healthy.py", "8700"]
ENTRYPOINT [".venv/bin/python", "run_graph.py"]
CMD ["graphs/retail.yaml"]
