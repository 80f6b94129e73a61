#!/usr/bin/env python3
"""Print looked-at events or keep them in a file, none missing, none twice. Made to be copied: it needs pyzmq only.

    python examples/listener.py                                          this machine's events, from the first on
    python examples/listener.py tcp://10.0.0.7:5570 look/door/           one stream of another machine
    python examples/listener.py tcp://10.0.0.7:5570 look/ events.jsonl   kept; goes on there when it is started again

Start it before or after `python run_graph.py graphs/retail.yaml`: it outlives the run and hears the next one. How it
works, in full in docs/zeromq.md: each message tells its position in the publisher's log and that of the one before it,
so what was missed is known and can be asked for on a second socket. A heartbeat tells the last position every second.
"""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import zmq

SILENCE_MS, ANSWER_MS = 4000, 2000


class Listener:
    """The events of one publisher with topics that begin with `look/`, `look/shop/` or `look/shop/3/`; "" for all."""

    def __init__(self, endpoint: str, prefix: str = "look/") -> None:
        self.endpoint, self.prefix = endpoint, prefix
        head, _, port = endpoint.rpartition(":")
        self.requests = f"{head}:{int(port) + 1}" if endpoint.startswith("tcp:") else f"{endpoint}-requests"
        self.log: str | None = None  # id of the publisher's log
        self.position = 0  # in that log: everything up to here was handed out
        self.complaint = ""  # of the publisher, until it answers again
        self.early: deque[str] = deque(maxlen=1000)  # ids of events that were handed out before they had a position
        self.context = zmq.Context()
        self.live = self.context.socket(zmq.SUB)
        self.live.subscribe(prefix)
        self.live.subscribe("log/")
        self.live.connect(endpoint)

    def events(self, had: list[str]) -> Iterator[bytes]:
        """Yield events for ever: those after the last of `had`, ids of events, oldest first; all, if it is empty."""
        while True:
            if not self.live.poll(SILENCE_MS):
                say(f"{self.endpoint}: nobody publishes there; waiting")
                self.live.poll()
            _, head, *data = self.live.recv_multipart()
            said = json.loads(head)
            if said["log"] is None:  # it cannot log at the moment: what comes now comes again when it can
                if data and said["id"] not in self.early:
                    self.early.append(said["id"])
                    yield data[0]
                continue
            if self.log is None and had:
                place = self.place_of(had)
                if place is None:
                    continue  # the next heartbeat leads here again
                self.position = place
            depth = self.prefix.count("/")
            before = said["previous"][depth - 1] if data and depth else said["position"] - bool(data)
            if said["log"] != self.log or before > self.position:
                yield from self.missed()
            elif data:
                yield from self.new([(said, data[0])])

    def new(self, messages: Iterable[tuple[dict[str, Any], bytes]]) -> Iterator[bytes]:
        """Hand out those that were not handed out before."""
        for said, data in messages:
            if said["position"] > self.position:
                self.position = said["position"]
                if said["id"] not in self.early:
                    yield data

    def missed(self) -> Iterator[bytes]:
        """Ask for everything after our position."""
        while True:
            reply, messages = self.ask(ask="events", after=self.position, prefix=self.prefix)
            if reply["log"] is None:
                return
            if self.log not in (None, reply["log"]):
                say(f"{self.endpoint}: the log is another one than before; taking all that it holds")
                self.log, self.position = None, 0
                continue
            if 0 < self.position < reply["first"] - 1:
                say(f"{self.endpoint}: up to {reply['first'] - 1 - self.position} events were removed before we asked")
            self.log = reply["log"]
            yield from self.new(messages)
            self.position = max(self.position, reply["upto"])
            if self.position >= reply["last"]:
                return

    def place_of(self, ids: list[str]) -> int | None:
        """Return the position of the last of these events that is in the log; 0 if none is, None if nobody can tell."""
        for id in reversed(ids):
            reply, _ = self.ask(ask="find", id=id)
            if reply["log"] is None:
                return None
            if reply["position"] is not None:
                return int(reply["position"])
            self.early.append(id)  # it may have come before it could be logged
        say(f"{self.endpoint}: the log holds none of the last events; taking all that it holds")
        self.early.clear()
        return 0

    def ask(self, **question: object) -> tuple[dict[str, Any], list[tuple[dict[str, Any], bytes]]]:
        """Ask until there is an answer, for the publisher may be started again; without a log, it can tell nothing."""
        while True:
            with self.context.socket(zmq.DEALER) as socket:
                socket.linger = 0
                socket.connect(self.requests)
                socket.send_json(question)
                if socket.poll(ANSWER_MS):
                    head, *frames = socket.recv_multipart()
                    reply = json.loads(head)
                    if "error" in reply:  # such as a log that is just being opened
                        if reply["error"] != self.complaint:
                            say(f"{self.requests}: {reply['error']}")
                        self.complaint = reply["error"]
                        return {"log": None}, []
                    self.complaint = ""
                    return reply, list(zip(map(json.loads, frames[1::3]), frames[2::3], strict=True))


def last_ids(path: Path) -> list[str]:
    """Return the ids of the last events in a file, oldest first, and cut off half a line behind them."""
    with path.open("ab+") as file:
        begin = max(file.seek(0, 2) - (1 << 20), 0)
        file.seek(begin)
        tail = file.read()
        whole = tail.rfind(b"\n") + 1
        try:
            ids = [str(json.loads(line)["id"]) for line in tail[:whole].splitlines()[-20:]]
        except (KeyError, TypeError, ValueError):
            raise SystemExit(f"{path}: expected events, one a line, got something else; give another file") from None
        file.truncate(begin + whole)
    return ids


def line_of(event: bytes) -> str:
    """Return what an event says, for people."""
    what = json.loads(event)
    look, kind = what["data"], what["type"].rpartition(".")[2]
    who = f"#{look['track']} {kind:<9} {look['target']} {look['dwell_s']:.1f} s" if "track" in look else kind
    return f"{what['time'][:19]}  {look['stream']}  {who}"


def say(text: str) -> None:
    """Tell people something, on a line of its own, at once."""
    sys.stderr.write(f"{text}\n")


def main(argv: list[str]) -> int:
    """Listen to the endpoint and the prefix of the command line, and print; or keep events in the file named third."""
    endpoint, prefix, *files = [*argv, *["tcp://127.0.0.1:5570", "look/"][len(argv) :]]
    try:
        if files:
            had = last_ids(Path(files[0]))
            with Path(files[0]).open("ab", buffering=0) as file:
                for event in Listener(endpoint, prefix).events(had):
                    file.write(event + b"\n")
        for event in Listener(endpoint, prefix).events([]):
            sys.stdout.write(f"{line_of(event)}\n")
            sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
