"""`run_graph.py models pull NAME...`: fetch the files of models, go on with what was cut, and check them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from logging import ERROR

from cli import program
from cli.log_format import tell
from cli.model_store import opened_store
from cli.program import DONE, FAILED
from pipeline.cards import load_card
from pipeline.errors import FetchError

EXAMPLES = """\
examples
  python run_graph.py models pull gazelle-dinov3-s
  python run_graph.py models pull scrfd-2.5g --accept-licence
  GAZE_MODELS_MIRROR=/media/usb/models python run_graph.py models pull gazelle-dinov3-s

Files go to models/fetched, or to the folder that GAZE_MODELS names. What was cut, or ended with Ctrl-C, is gone on with
when the same is typed again.

exit codes
  0 all are here   1 one could not be had   2 wrong name, licence not accepted, or offline   130 interrupted
"""


def main(argv: Sequence[str]) -> int:
    """Fetch files, one after another, and return the exit code.

    Raises:
        PipelineError: a name is wrong, a file may not be fetched, or nothing can be written.
    """
    args = _parser().parse_args(argv)
    for name in args.names:  # all names are right before anything is fetched
        load_card(name, program.ROOT)
    failed = False
    with opened_store(args.offline) as store:
        for name in dict.fromkeys(args.names):
            if args.accept_licence and (told := store.accept(name)):
                tell(told)
            try:
                print(store.pull(name, args.accept_change), flush=True)
            except FetchError as error:
                tell(str(error), ERROR)
                failed = True
    return FAILED if failed else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="run_graph.py models pull",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("names", metavar="NAME", nargs="+", help="a model, as `run_graph.py models list` lists them, or a card")
    add("--accept-licence", action="store_true", help="accept what the licences forbid, now and from now on")
    add("--accept-change", action="store_true", help="keep to the file as it is now, where its makers tell no checksum "
        "and another one came first")  # fmt: skip
    add("--offline", action="store_true", help="fetch nothing from a network; the same as GAZE_OFFLINE=1")
    return parser
