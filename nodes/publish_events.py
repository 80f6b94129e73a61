"""Publish looked-at events on a ZeroMQ PUB socket while they happen."""

from __future__ import annotations

import logging
import re
from typing import Annotated

import zmq
from pydantic import AfterValidator, Field

from nodes.ops import cloud_events
from nodes.types import Visits
from pipeline.errors import ConfigError
from pipeline.frames import FrameBatch
from pipeline.node import Node, NodeConfig

logger = logging.getLogger(__name__)

TCP = re.compile(r"tcp://(?P<host>\*|\[[0-9A-Fa-f:.%\w]+\]|[\w.-]+):(?P<port>\d+)")
LOOPBACK = re.compile(r"127\.[\d.]+|localhost|\[::1\]")


def _endpoint(endpoint: str) -> str:
    tcp = TCP.fullmatch(endpoint)
    if not (tcp and 0 < int(tcp["port"]) < 65536) and not re.fullmatch(r"ipc://.+", endpoint):
        raise ValueError(
            f"expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH, got {endpoint!r}; "
            "for example tcp://127.0.0.1:5570"
        )
    return endpoint


class Config(NodeConfig):
    endpoint: Annotated[str, AfterValidator(_endpoint)] = "tcp://127.0.0.1:5570"
    """Where subscribers connect to: `tcp://HOST:PORT` or `ipc://PATH`. `tcp://*:5570` lets other machines read."""
    queue: int = Field(default=10_000, ge=1)
    """Events kept for each subscriber that reads too slowly; further ones are lost to it. Raise for longer hiccups;
    costs memory."""
    linger_s: float = Field(default=0.5, ge=0)
    """How long the end of a run waits for subscribers to take the last events, seconds."""


class PublishEvents(Node[Config]):
    """Send each event as two frames: the topic `look/<stream>/<track>/`, and the bytes that `write_events` writes.

    The closing slash keeps a subscription to track 1 from matching track 10. Publishing never waits: who is not there
    misses events and sees it by a gap in `sequence`. Where the port is taken, this is said and the run goes on.

    State: the socket. Empty: nothing is sent.
    Ref: ZeroMQ RFC 29 (publish-subscribe).
    """

    sink_policy = "keep"

    def open(self) -> None:
        self._lineage = self.context.lineage("looks")
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.PUB)
        self._socket.sndhwm = self.config.queue
        self._socket.linger = round(self.config.linger_s * 1000)
        self._socket.ipv6 = "[" in self.config.endpoint
        try:
            self._socket.bind(self.config.endpoint)
        except zmq.ZMQError as error:
            self.close()
            self._explain(error)
        else:
            self._warn_if_open_to_others()

    def process(self, frames: FrameBatch, looks: Visits) -> None:
        if self._socket.closed:
            return
        events = cloud_events.encode_rows(looks, self._lineage.origins(frames.streams))
        for row, event in enumerate(events):
            topic = f"look/{looks.stream_id[row]}/{looks.track_id[row]}/"
            self._socket.send_multipart([topic.encode(), event], zmq.NOBLOCK)

    def close(self) -> None:
        self._socket.close()
        self._context.term()  # waits for linger_s at most

    def _warn_if_open_to_others(self) -> None:
        tcp = TCP.fullmatch(self.config.endpoint)
        if tcp and not LOOPBACK.fullmatch(tcp["host"]):
            logger.warning(
                "%s: %s can be read, without a password, by every machine that reaches this one",
                self.context.name,
                self.config.endpoint,
            )

    def _explain(self, error: zmq.ZMQError) -> None:
        name, endpoint = self.context.name, self.config.endpoint
        if error.errno == zmq.EADDRINUSE:
            head, _, port = endpoint.rpartition(":")
            logger.warning(
                "%s: %s is taken by another program, perhaps another run: events of this run are not published; stop "
                "that program or choose another port with --set %s.endpoint=%s:%d",
                name,
                endpoint,
                name,
                head,
                int(port) % 65535 + 1,
            )
            return
        raise ConfigError(
            f"{name}.endpoint: expected an address that this machine can listen on, got {endpoint!r} "
            f"({zmq.strerror(error.errno or 0)}); give another with --set {name}.endpoint=tcp://127.0.0.1:5570"
        ) from error
