"""A subscriber in a process of its own: takes messages as they come, and says what came and when.

For `benchmarks.bus`: `python -m benchmarks.bus_subscriber ENDPOINT COUNT [KEYS]`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import zmq

from pipeline.bus import curve, wire
from pipeline.bus.wire import Delivered

WAIT_MS = 20_000
HEARTBEATS = 10
"""When nothing has come for so long, or no message between so many heartbeats, nothing will."""


def main(arguments: Sequence[str]) -> int:
    """Say `ready` once messages come, take so many of them, and print what came."""
    endpoint, count, *keys = arguments
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.linger = 0
        socket.rcvhwm = 0
        if keys:
            curve.secure_client(socket, Path(keys[0]))
        socket.subscribe("look/")
        socket.connect(endpoint)
        socket.subscribe("log/")  # told after the other: a heartbeat says that both are known
        if socket.poll(WAIT_MS):
            print("ready", flush=True)
        frames, last_ns, cpu_s = _taken(socket, int(count))
    print(json.dumps(_what_came(frames) | {"last_ns": last_ns, "cpu_s": cpu_s}))
    return 0


def _taken(socket: zmq.Socket[bytes], count: int) -> tuple[list[list[bytes]], int, float]:
    """Return messages, when the last one was there, on a clock that all processes share, and the CPU time they took."""
    taken: list[list[bytes]] = []
    began_s = time.process_time()
    idle = 0
    while len(taken) < count and idle < HEARTBEATS and socket.poll(WAIT_MS):
        frames = socket.recv_multipart()
        if len(frames) == 3:
            taken.append(frames)
            idle = 0
        else:
            idle += 1
    return taken, time.monotonic_ns(), time.process_time() - began_s


def _what_came(taken: Sequence[Sequence[bytes]]) -> dict[str, object]:
    found = [one for one in map(wire.decode_message, taken) if isinstance(one, Delivered)]
    places = [one.headers.position for one in found]
    return {
        "count": len(found),
        "checksum": hashlib.sha256(b"\n".join(one.data for one in found)).hexdigest(),
        "in_order": places == list(range(1, len(found) + 1)),
        "without_place": places.count(None),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
