#!/usr/bin/env python3
"""Print looked-at events as they are published, one line each, until Ctrl-C.

    python examples/listen.py                               everything on this machine
    python examples/listen.py tcp://10.0.0.7:5570 look/door/  one stream of another machine

Start it before `python run_graph.py graphs/retail.yaml`: who connects late misses what was sent before.
"""

from __future__ import annotations

import json
import sys

import zmq


def line_of(event: dict[str, object]) -> str:
    """Return what one event says, for people."""
    look = event["data"]
    assert isinstance(look, dict)
    kind = str(event["type"]).rpartition(".")[2]
    who, when = f"#{look['track']}", f"{look['stream']} {look['known_s']:8.2f} s"
    return f"{when}  {who} {kind:<9} {look['target']} {look['dwell_s']:.1f} s"


def listen(endpoint: str, topic: str, most: int | None = None) -> None:
    """Print events whose topic begins with `topic`; stop after `most`, if given."""
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.connect(endpoint)
        socket.subscribe(topic)
        heard = 0
        while heard != most:
            *_, event = socket.recv_multipart()
            sys.stdout.write(line_of(json.loads(event)) + "\n")
            sys.stdout.flush()
            heard += 1


def main(argv: list[str]) -> int:
    """Listen to the endpoint and topic of the command line, or to everything on this machine."""
    endpoint = argv[0] if argv else "tcp://127.0.0.1:5570"
    topic = argv[1] if len(argv) > 1 else "look/"
    try:
        listen(endpoint, topic)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
