"""The sockets of a subscriber: what is published, answers to requests, and whether anybody is there."""

from __future__ import annotations

import logging
import time
from collections import deque
from pathlib import Path
from typing import Literal

import msgspec
import zmq
from zmq.utils.monitor import recv_monitor_message

from pipeline.bus import curve, wire
from pipeline.bus.wire import Ask, Delivered, Heartbeat, Reply, WireError
from pipeline.errors import ConfigError

logger = logging.getLogger(__name__)

SILENCE_S = 3.5 * wire.HEARTBEAT_S
"""Nobody is there when nothing was heard for so long."""
ANSWER_S = 2.0
"""A request is sent again when it was not answered for so long."""
POLL_MS = 200
RECONNECT_MS = (20, 200)
"""Time until the first try to connect again, which is doubled from try to try, and the longest: a run may be short."""
PING_MS = (5000, 15_000)
"""How often a connection is tried that says nothing, and when it is given up: a machine may vanish without a word."""
MOST_HELD = 10_000
"""Messages that may wait until a request is answered; those beyond it are asked for later."""
MOST_UNANSWERED = 4
"""Requests that may wait until somebody is there to answer them."""
REFUSALS = 3
"""Handshakes broken off in a row after which it is not a publisher that is just being killed."""
HANG_UPS = 10
"""The same without keys, after which it is one that wants keys: either side may be the first to find that out."""
WATCHED = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


class Link:
    """A connection to one publisher that outlives it: one that comes again is connected to again.

    What is not as it should be is logged once, until it is mended; nothing but wrong addresses and keys is an error.
    """

    def __init__(self, endpoint: str, prefix: str, requests: str | None = None, keys: Path | None = None) -> None:
        """Connect; nobody needs to be there yet.

        Args:
            endpoint: where messages are published.
            prefix: of the topics to hear.
            requests: where requests are answered; None: where the publisher says.
            keys: the folder of keys, as `run_graph.py keys` makes it, for a publisher that asks for them.

        Raises:
            ConfigError: an address or the folder of keys is wrong.
        """
        for name, address in (("address", endpoint), ("address for requests", requests or endpoint)):
            try:
                wire.check_endpoint(address)
            except ValueError as error:
                raise ConfigError(f"{name}: {error}") from error
        self._endpoint, self._requests_given, self._keys = endpoint, requests, keys
        self._requests_at = requests or wire.default_requests(endpoint)
        self._held: deque[Delivered | Heartbeat] = deque()
        self._state: Literal["new", "there", "ended", "silent"] = "new"
        self._heard_s = time.monotonic()
        self._complaints: set[str] = set()
        self._tag = self._connections = self._refusals = 0
        self._poller = zmq.Poller()
        self._requests: zmq.Socket[bytes] | None = None
        self._context = zmq.Context()
        try:
            self._live = self._socket(zmq.SUB)
        except ConfigError:
            self._context.term()
            raise
        self._live.rcvhwm = MOST_HELD
        self._watch = self._live.get_monitor_socket(WATCHED)
        self._live.subscribe(wire.HEARTBEAT_TOPIC)
        self._live.subscribe(prefix)
        self._live.connect(endpoint)
        self._poller.register(self._watch, zmq.POLLIN)
        self._poller.register(self._live, zmq.POLLIN)

    def next(self) -> Delivered | Heartbeat:
        """Return what was published next; waits for it, however long.

        Raises:
            ConfigError: the publisher does not take our keys.
        """
        while not self._held:
            self._poll()
        return self._held.popleft()

    def ask(self, ask: Ask) -> tuple[Reply, list[Delivered]] | None:
        """Return the answer to a request; waits for it, however long. What is published meanwhile waits for `next()`.

        Returns:
            None when the answer tells of an error or makes no sense, which is logged.

        Raises:
            ConfigError: the publisher does not take our keys.
        """
        self._tag += 1
        request = wire.encode(msgspec.structs.replace(ask, tag=self._tag))
        while True:
            self._send(request)
            until_s, connections = time.monotonic() + ANSWER_S, self._connections
            while time.monotonic() < until_s and connections == self._connections:
                frames = self._poll()
                if frames is None:
                    continue
                try:
                    reply, messages = wire.decode_reply(frames)
                except WireError as error:
                    self._complain("reply", f"{self._requests_at}: {error}")
                    return None
                if reply.tag != self._tag:
                    continue
                self._complaints.discard("unanswered")
                if reply.error is not msgspec.UNSET:
                    self._complain("error", f"{self._requests_at}: {reply.error}")
                    return None
                self._complaints -= {"reply", "error"}
                return reply, messages
            if connections == self._connections and self._state == "there":
                self._complain(
                    "unanswered",
                    f"{self._requests_at}: expected answers to requests, got none; what is published waits for them; "
                    "if requests are answered elsewhere, give that address with --requests",
                )

    def close(self) -> None:
        """Let go of the sockets."""
        self._live.disable_monitor()
        self._watch.close()
        self._live.close()
        if self._requests is not None:
            self._requests.close()
        self._context.term()

    def _poll(self) -> list[bytes] | None:
        """Take in what comes within a moment; return it if it is an answer."""
        ready = dict(self._poller.poll(POLL_MS))
        if self._watch in ready:
            self._connection(recv_monitor_message(self._watch)["event"])
        if self._live in ready:
            self._hear(self._live.recv_multipart())
        elif self._state in ("new", "there") and time.monotonic() - self._heard_s > SILENCE_S:
            self._state = "silent"
            logger.warning(
                "%s: expected a publisher, got silence for %g s; waiting for one: start it, or check the address",
                self._endpoint,
                SILENCE_S,
            )
        if self._requests is not None and self._requests in ready:
            return self._requests.recv_multipart()
        return None

    def _hear(self, frames: list[bytes]) -> None:
        self._heard_s = time.monotonic()
        try:
            heard = wire.decode_message(frames)
        except WireError as error:
            self._complain("message", f"{self._endpoint}: {error}")
            return
        ended = isinstance(heard, Heartbeat) and heard.ended
        if ended and self._state != "ended":
            logger.info("%s: the run is over; waiting for another one", self._endpoint)
        elif not ended and self._state in ("ended", "silent"):
            logger.info("%s: a publisher is there", self._endpoint)
        self._state = "ended" if ended else "there"
        if isinstance(heard, Heartbeat) and self._requests_given is None:
            address = wire.reachable(self._endpoint, heard.requests)
            if address != self._requests_at:
                self._connect_requests(address)
        if len(self._held) < MOST_HELD:
            self._held.append(heard)

    def _connection(self, event: int) -> None:
        """Take note of what became of an attempt to connect."""
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._connections += 1
            self._refusals = 0
            self._connect_requests(self._requests_at)  # at once: the old connection may wait a while before it tries
            self._complaints.discard("refusals")
            return
        if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            raise ConfigError(
                f"{self._endpoint}: expected to be let in, got refused, because the publisher does not know this key; "
                f"copy {self._key_file('client.key')} to the folder clients of its keys, then listen again"
            )
        self._refusals += 1
        if event == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL or (self._keys is None and self._refusals >= HANG_UPS):
            wanted, got, cure = ("without", "with", "give --keys DIR")
            if self._keys:
                wanted, got, cure = ("with", "without", "leave out --keys")
            raise ConfigError(
                f"{self._endpoint}: expected a publisher {wanted} keys, got one {got} keys or another program; {cure}, "
                "or check the address"
            )
        if self._refusals == REFUSALS:
            cure = "check the address"
            if self._keys:
                cure = f"check that {self._key_file('server.key')} is that of the publisher"
            self._complain("refusals", f"{self._endpoint}: expected a publisher, got one that hangs up; {cure}")

    def _send(self, request: bytes) -> None:
        if self._requests is None:
            self._connect_requests(self._requests_at)
        assert self._requests
        try:
            self._requests.send(request, zmq.NOBLOCK)
        except zmq.Again:
            return  # enough of them wait already for somebody to answer

    def _connect_requests(self, address: str) -> None:
        if self._requests is not None:
            self._poller.unregister(self._requests)
            self._requests.close()
        self._requests_at = address
        self._requests = self._socket(zmq.DEALER)
        self._requests.sndhwm = MOST_UNANSWERED
        self._requests.connect(address)
        self._poller.register(self._requests, zmq.POLLIN)

    def _socket(self, kind: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.ipv6 = "[" in self._endpoint
        socket.maxmsgsize = wire.DATA_BYTES  # the largest of all frames
        socket.reconnect_ivl, socket.reconnect_ivl_max = RECONNECT_MS
        socket.heartbeat_ivl, socket.heartbeat_timeout = PING_MS
        if self._keys is not None:
            try:
                curve.secure_client(socket, self._keys)
            except ConfigError:
                socket.close()
                raise
        return socket

    def _key_file(self, name: str) -> str:
        return str(self._keys / name) if self._keys else name

    def _complain(self, what: str, text: str) -> None:
        """Log what is wrong, once until it is mended."""
        if what not in self._complaints:
            self._complaints.add(what)
            logger.warning("%s", text)
