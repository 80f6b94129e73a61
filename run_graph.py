#!/usr/bin/env python3
"""Run a graph: `python run_graph.py graphs/retail.yaml`; `--help` says the rest."""

import os
import sys

# Stages are the parallelism: libraries that open a thread per core for each of them would fight over the cores.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

if sys.version_info < (3, 11):  # before any file with newer syntax is read
    sys.stderr.write("gazegraph: expected Python 3.11 or newer, got %s; install one\n" % sys.version.split()[0])
    sys.exit(2)

from cli.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
