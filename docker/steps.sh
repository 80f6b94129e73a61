#!/bin/sh
# The steps that make an image. The Dockerfiles take them in /gazegraph, `make image-steps` takes them in a folder.
set -eu

case "$1" in
install) # what a file of pins names, into .venv: wheels only, so that no compiler is needed; pip does not stay
    "${PYTHON:-python3}" -m venv .venv
    .venv/bin/python -m pip install --quiet --no-input --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes -r "$2"
    .venv/bin/python -m pip uninstall --quiet --yes pip
    ;;
settle) # whoever runs it writes here, and nowhere else; hence the bytecode is written now
    mkdir -p out models/fetched models/prepared
    chmod 1777 out models/fetched models/prepared
    .venv/bin/python -m compileall -q -x '[.]venv' .
    ;;
try) # what everybody does first: an image in which it fails is not made; where its users write, nothing is left
    results=$(mktemp -d)
    .venv/bin/python run_graph.py graphs/retail.yaml --max-frames 10 --out "$results"
    rm -r "$results"
    ;;
*)
    echo "steps.sh: expected install FILE, settle or try, got $1" >&2
    exit 2
    ;;
esac
