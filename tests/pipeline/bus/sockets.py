"""Publishers in a folder, and sockets that are connected to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import zmq

from pipeline.bus import wire
from pipeline.bus.keeper import Keeper
from pipeline.bus.publisher import Publisher
from pipeline.bus.wire import Delivered, Heartbeat, Reply

WAIT_MS = 10_000
Socket = zmq.Socket[bytes]


class Bench:
    """Publishers in a folder, and sockets connected to them; all are closed."""

    def __init__(self, folder: Path, context: zmq.Context[Socket]) -> None:
        self.endpoint, self.requests, self.log = f"ipc://{folder}/bus", f"ipc://{folder}/ask", folder / "events.db"
        self.context = context
        self.publishers: list[Publisher] = []
        self._sockets: list[Socket] = []

    def start(self, *, log: bool = True, keeper: Keeper | None = None, **config: Any) -> Publisher:
        keeper = keeper or Keeper(
            "bus",
            self.log if log else None,
            keep_s=1e9,
            keep_bytes=10**9,
            room=100,
            interrupted=lambda last, sequence: msgspec.structs.replace(last, sequence=sequence, holds=False),
            back_off_s=(0.01,),
        )
        values = {"endpoint": self.endpoint, "requests": self.requests, "linger_s": 0.0, **config}
        self.publishers.append(Publisher("bus", keeper=keeper, **values))
        return self.publishers[-1]

    def socket(self, kind: int) -> Socket:
        self._sockets.append(self.context.socket(kind))
        return self._sockets[-1]

    def subscribe(self, *prefixes: str, endpoint: str = "") -> Socket:
        """Return a subscriber to whom a heartbeat has come, so that nothing is missed from then on."""
        made = self.socket(zmq.SUB)
        for prefix in prefixes:
            made.subscribe(prefix)
        made.connect(endpoint or self.endpoint)
        made.subscribe("log/")  # told after the others: a heartbeat says that all are known
        assert isinstance(receive(made), Heartbeat)
        return made

    def ask(self, kind: int = zmq.DEALER, rcvhwm: int = 1000) -> Socket:
        made = self.socket(kind)
        made.rcvhwm = rcvhwm
        made.connect(self.requests)
        return made

    def close(self) -> None:
        for publisher in self.publishers:
            publisher.close()
        for one in self._sockets:
            one.close()


def receive(subscriber: Socket) -> Delivered | Heartbeat:
    assert subscriber.poll(WAIT_MS), "nothing came"
    return wire.decode_message(subscriber.recv_multipart())


def messages(subscriber: Socket, count: int) -> list[Delivered]:
    """Return the next messages; heartbeats between them are left out."""
    found: list[Delivered] = []
    while len(found) < count:
        came = receive(subscriber)
        found += [came] if isinstance(came, Delivered) else []
    return found


def answer(asking: Socket, request: bytes) -> tuple[Reply, list[Delivered]]:
    asking.send(request)
    assert asking.poll(WAIT_MS), "no answer"
    return wire.decode_reply(asking.recv_multipart())
