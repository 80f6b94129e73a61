"""`run_graph.py models VERB`: the models that there are, where their files come from, and whether they are right."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from cli.log_format import tell
from cli.program import DONE, WRONG_INPUT
from pipeline.model_files.folders import OWN, READ_ONLY
from pipeline.model_files.settings import MIRROR, OFFLINE
from pipeline.model_files.terms import VARIABLE
from pipeline.suggest import did_you_mean

VERBS = {
    "list": "list all models by family, with size, licence and whether they are here",
    "show": "tell all about one: what it takes and gives, where it comes from, how to use it",
    "pull": "fetch files, go on with what was cut, and check them",
    "verify": "check the files that are here",
    "path": "print where the file of one lies",
    "prepare": "make a faster file of one that is here; needs the packages of the extra `prepare`",
    "build": "build the engines that a run of a graph with TensorRT needs, ahead of it",
    "engines": "list or remove the engines that were built",
}
"""What can follow `models`: a file `models_<verb>.py` of this folder with a `main(argv) -> int`."""

_LINES = "\n".join(f"  {name:<8}  {text}" for name, text in VERBS.items())
HELP = f"""\
usage: run_graph.py models VERB [options]

The models that there are, where their files come from, and whether they are right.

verbs
{_LINES}

examples
  python run_graph.py models list --family gazelle
  python run_graph.py models show gazelle-dinov3-s
  python run_graph.py models pull gazelle-dinov3-s
  python run_graph.py graphs/retail.yaml --set gaze.model=gazelle-dinov3-s   # fetches it, too, if it is not here
  python run_graph.py models build graphs/retail.yaml --device cuda --backend tensorrt

environment
  {OWN:<20}  folder for fetched and prepared files; default: models/fetched and models/prepared
  {READ_ONLY:<20}  folder of files that somebody else keeps
  {MIRROR:<20}  https://host/path or a folder that is tried before the addresses of the cards
  {OFFLINE}=1        fetch nothing
  {VARIABLE}  cards whose licences are accepted where nobody can be asked, such as 'gazelle-*,scrfd-2.5g'
  https_proxy, http_proxy, no_proxy, SSL_CERT_FILE as usual
"""


def main(argv: Sequence[str]) -> int:
    """Run `models VERB [options]` and return the exit code.

    Raises:
        PipelineError: a name or an option is wrong, or a file cannot be had.
    """
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(HELP, end="")
        return DONE if argv else WRONG_INPUT
    verb, *rest = argv
    if verb not in VERBS:
        tell(f"models {verb!r}: expected a verb, got another word{did_you_mean(verb, VERBS, 'verbs')}")
        return WRONG_INPUT
    return int(importlib.import_module(f"cli.models_{verb}").main(rest))
