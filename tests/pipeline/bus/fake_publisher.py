"""A publisher in a few lines of plain JSON, whose faults are ordered: an independent reading of docs/zeromq.md."""

from __future__ import annotations

import json
import threading
from typing import Any, Self

import zmq

LOG, OTHER_LOG = "a" * 32, "b" * 32


class FakePublisher:
    """Publishes on `endpoint` and answers requests, on a thread, from the list `kept` of (topic, headers, data)."""

    def __init__(
        self, endpoint: str, log: str | None = LOG, kept: list[tuple[str, dict[str, Any], bytes]] | None = None
    ):
        self.log, self.first = log, 1
        self.kept = [] if kept is None else kept
        self.held: list[str] = []
        self.asked: list[dict[str, Any]] = []
        self.answers: list[list[bytes]] = []
        """What to answer next in place of the truth; [] for nothing at all."""
        self.left_unanswered = threading.Event()
        self.requests_told = f"{endpoint}-requests"
        self._context = zmq.Context()
        self._asked = self._context.socket(zmq.ROUTER)
        self._asked.linger = 1000
        self._asked.bind(f"{endpoint}-requests")
        self._live = self._context.socket(zmq.XPUB)
        self._live.linger = 1000
        self._live.bind(endpoint)
        self._inside = self._context.socket(zmq.PAIR)
        self._inside.bind("inproc://stop")
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        if self._inside.closed:
            return
        self._inside.send(b"")
        self._thread.join()
        for socket in (self._inside, self._live, self._asked):
            socket.close()
        self._context.term()

    def meet(self, beat: bool = True) -> None:
        """Wait for a subscriber, and greet it with a heartbeat."""
        subscriptions = 0
        while subscriptions < 2:
            assert self._live.poll(10_000)
            subscriptions += self._live.recv()[:1] == b"\1"
        if beat:
            self.beat()

    def beat(self, position: int | None = None, log: str | None = None, ended: bool = False) -> None:
        last = len(self.kept) if position is None else position
        log = log or self.log
        heartbeat = {"log": log, "position": last if log else None, "requests": self.requests_told, "ended": ended}
        self._live.send_multipart([b"log/", json.dumps(heartbeat).encode()])

    def log_and_send(
        self, *ids: str, topic: str = "look/shop/3/", data: bytes | None = None, sent: bool = True
    ) -> None:
        """Log messages, with their ids as data where none is given, and send them, or lose them on the way."""
        for id in ids:
            segments = [part + "/" for part in topic.split("/")[:-1]]
            same = ["".join(segments[: k + 1]) for k in range(3)]
            headers = {
                "log": self.log,
                "position": len(self.kept) + 1,
                "previous": [
                    max((h["position"] for t, h, _ in self.kept if t.startswith(prefix)), default=0) for prefix in same
                ],
                "recordedtime": f"2026-01-01T00:00:{len(self.kept):02d}.000000Z",
                "contenttype": "application/cloudevents+json",
                "id": id,
            }
            self.kept.append((topic, headers, id.encode() if data is None else data))
            if sent:
                self.send(-1)

    def send(self, at: int) -> None:
        """Send what is kept at an index, whether or not it was sent before."""
        self._live.send_multipart(self._frames(self.kept[at]))

    def send_unlogged(self, id: str, topic: str = "look/shop/3/") -> None:
        headers = {
            "log": None,
            "position": None,
            "previous": [0, 0, 0],
            "recordedtime": "",
            "contenttype": "",
            "id": id,
        }
        self._live.send_multipart(self._frames((topic, headers, id.encode())))

    def send_raw(self, *frames: bytes) -> None:
        self._live.send_multipart(frames)

    def _answer(self) -> None:
        stop = self._context.socket(zmq.PAIR)
        stop.connect("inproc://stop")
        poller = zmq.Poller()
        poller.register(stop, zmq.POLLIN)
        poller.register(self._asked, zmq.POLLIN)
        while stop not in dict(poller.poll()):
            who, request = self._asked.recv_multipart()
            self.asked.append(ask := json.loads(request))
            answer = self.answers.pop(0) if self.answers else self._truth(ask)
            if answer:
                self._asked.send_multipart([who, *answer])
            else:
                self.left_unanswered.set()
        stop.close()

    def _truth(self, ask: dict[str, Any]) -> list[bytes]:
        reply: dict[str, Any] = {"log": self.log, "first": self.first, "last": len(self.kept), "tag": ask.get("tag", 0)}
        kept = [one for one in self.kept if one[1]["position"] >= self.first]
        messages: list[tuple[str, dict[str, Any], bytes]] = []
        if ask["ask"] in ("events", "snapshot"):
            messages = [one for one in kept if one[0].startswith(ask["prefix"])]
            reply["upto"] = len(self.kept)
        if ask["ask"] == "events":
            messages = [one for one in messages if one[1]["position"] > ask["after"]]
            if len(messages) > (most := ask.get("most", 1000)):
                messages = messages[:most]
                reply["upto"] = messages[-1][1]["position"]
        if ask["ask"] == "snapshot":
            messages = [one for one in messages if one[1]["id"] in self.held]
        if ask["ask"] == "find":
            reply["position"] = next((h["position"] for _, h, _ in kept if h["id"] == ask["id"]), None)
        if ask["ask"] == "since":
            reply["position"] = next((h["position"] for _, h, _ in kept if h["recordedtime"] >= ask["time"]), None)
        return [json.dumps(reply).encode(), *(frame for one in messages for frame in self._frames(one))]

    @staticmethod
    def _frames(message: tuple[str, dict[str, Any], bytes]) -> list[bytes]:
        topic, headers, data = message
        return [topic.encode(), json.dumps(headers).encode(), data]
