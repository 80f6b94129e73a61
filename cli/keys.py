"""`run_graph.py keys DIR`: make the keys that let subscribers read encrypted events."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.bus import curve

TEXT = """\
keys made in {dir}
  {server_secret:<18} of the publisher: stays secret and on its machine
  {server_public:<18} tells subscribers that it is the publisher they talk to
  {client_secret:<18} of subscribers: stays secret, with who may read the events
  {allowed:<18} public keys of those who are let in: remove one to shut somebody out

type on the machine of the cameras
  python run_graph.py graphs/retail.yaml --set bus.keys={arg} --set bus.endpoint='tcp://*:5570'
and where events are read, with {server_public} and {client_secret} copied there
  python run_graph.py listen tcp://HOST:5570 --keys {arg}
keys of its own for somebody: make them in another folder, and copy its {client_public} to {arg_allowed}/NAME.key"""


def main(argv: Sequence[str]) -> int:
    """Make keys and say what they are for.

    Raises:
        ConfigError: there are keys already, or nothing can be written.
    """
    parser = argparse.ArgumentParser(prog="run_graph.py keys", description=__doc__.partition(": ")[2])
    parser.add_argument("dir", metavar="DIR", type=Path, help="folder to make; keys that are there stay as they are")
    folder: Path = parser.parse_args(argv).dir
    curve.make_keys(folder)
    print(
        TEXT.format(
            dir=folder,
            arg=shlex.quote(str(folder)),
            arg_allowed=shlex.quote(str(folder / curve.ALLOWED)),
            server_secret=curve.SERVER_SECRET,
            server_public=curve.SERVER_PUBLIC,
            client_secret=curve.CLIENT_SECRET,
            client_public=curve.CLIENT_PUBLIC,
            allowed=f"{curve.ALLOWED}/",
        )
    )
    return 0
