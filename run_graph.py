#!/usr/bin/env python3
"""Run a graph: `python run_graph.py graphs/retail.yaml`; `--help` says the rest."""

import os
import sys

if __name__ == "__main__":
    # Stages are the parallelism: libraries that open a thread per core for each of them would fight over the cores.
    # They read these when they are first imported, and some are by what follows.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

    from cli.program import main

    sys.exit(main(sys.argv[1:]))
