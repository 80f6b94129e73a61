"""The options of running a graph. What concerns a node is `--set`, never an option of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = """\
examples
  python run_graph.py graphs/retail.yaml                                     the demo clip
  python run_graph.py graphs/retail.yaml --source clip.mp4                   your footage: out/retail/clip/
  python run_graph.py graphs/retail.yaml --source door=rtsp://10.0.0.5/live  a camera, called door
  python run_graph.py graphs/annotate.yaml --source 'clips/*.mp4' --out done  many files, one after another
  python run_graph.py graphs/retail.yaml --set tracks.max_age_s=2 --check    change a value, run nothing
  python run_graph.py graphs/retail.yaml --serve                             then: run_graph.py ctl status
  python run_graph.py graphs/retail.yaml --record out/rec                    then: run_graph.py replay out/rec

exit codes
  0 done   1 failed   2 wrong input or configuration   130 interrupted
"""


def option_parser() -> argparse.ArgumentParser:
    """Return the parser of `GRAPH [options]`."""
    parser = argparse.ArgumentParser(
        prog="run_graph.py",
        usage="run_graph.py GRAPH [options]",
        description="Run a graph on the streams of its configuration, or on those given with --source.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("graph", metavar="GRAPH", type=Path, help="a file such as graphs/retail.yaml")
    add("--config", metavar="F", type=Path, help="values for the nodes; default: configs/<name of the graph>.yaml")
    add(
        "--source",
        metavar="[ID=]URL",
        nargs="+",
        action="extend",
        default=[],
        help="file, glob, folder, camera index or URL, in place of the configured streams; ID: what to call it",
    )
    add("--out", metavar="DIR", type=Path, help="where results go, one folder for each stream; default: out/<graph>")
    add(
        "--set",
        metavar="NODE.KEY=VALUE",
        nargs="+",
        action="extend",
        default=[],
        dest="sets",
        help="change a value of the configuration; also streams.<id>.key and engine.key",
    )
    add("--check", action="store_true", help="check everything, print the stages, run nothing")
    add("--device", choices=("auto", "cpu", "cuda"), help="where models run; the same as --set engine.device=...")
    add(
        "--backend",
        choices=("auto", "onnxruntime", "onnxruntime-tensorrt", "tensorrt"),
        help="what executes models on a GPU; the same as --set engine.backend=...",
    )
    add(
        "--precision",
        choices=("fp32", "fp16"),
        help="what TensorRT computes in; the same as --set engine.precision=...",
    )
    add("--max-frames", metavar="N", type=_positive, help="stop each stream after N frames")
    add(
        "--record",
        metavar="[EDGE=]DIR",
        action="append",
        default=[],
        help="write all that events are decided from to a folder, for `run_graph.py replay DIR`; or what passes on one "
        "edge",
    )
    add("--replay", metavar="EDGE=DIR", action="append", default=[], help="read an edge from such a folder, not anew")
    add(
        "--serve",
        metavar="[HOST:]PORT",
        nargs="?",
        const="8700",
        help="let the run be watched and steered over HTTP, at 127.0.0.1:8700 unless told otherwise; or unix:PATH; see "
        "docs/live_api.md",
    )
    add("--offline", action="store_true", help="fetch no model files; the same as GAZE_OFFLINE=1 in the environment")
    add("--log", choices=("text", "json"), default="text", help="what stands on standard error: lines for people, or "
        "one JSON object a line")  # fmt: skip
    return parser


def _positive(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return count
