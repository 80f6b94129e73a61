"""The sockets of a publisher, and the thread that answers requests and decides who is let in."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import zmq

from pipeline.bus import curve, wire
from pipeline.errors import ConfigError

logger = logging.getLogger(__name__)

BIND_EVERY_S = 1.0
"""Time between two tries to get an address that somebody else has."""
PING_MS, PING_TIMEOUT_MS = 5000, 15_000
"""How often a connection is tried, and when it is given up: what waits for who is gone takes memory."""
REPLIES = 16
"""Replies, of several megabytes each, that may wait for somebody who asks and does not read."""
ZAP = "inproc://zeromq.zap.01"
LOOPBACK = ("127.", "localhost", "[::1]")


class Bell:
    """Wakes a thread that polls sockets."""

    def __init__(self) -> None:
        self._rings, self.heard = socket.socketpair()
        self._rings.setblocking(False)
        self.heard.setblocking(False)

    def ring(self) -> None:
        """Wake it; also when it is awake, or about to sleep."""
        with suppress(BlockingIOError):  # it has rung often enough
            self._rings.send(b"!")

    def silence(self) -> None:
        """Take note of having been woken."""
        with suppress(BlockingIOError):
            self.heard.recv(4096)

    def close(self) -> None:
        """Let go of it."""
        self._rings.close()
        self.heard.close()


class Outlet:
    """One bound socket, or one that is bound as soon as its address is free."""

    def __init__(
        self,
        context: zmq.Context[zmq.Socket[bytes]],
        kind: int,
        name: str,
        setting: str,
        address: str,
        keys: Path | None,
    ) -> None:
        """Make a socket, not bound yet, so that it can be set up.

        Args:
            context: of ZeroMQ.
            kind: of socket.
            name: of the node that publishes, for what is said about it.
            setting: of that node, which gives the address.
            address: where to listen.
            keys: the folder of keys; None: everybody may connect.

        Raises:
            ConfigError: the keys cannot be used.
        """
        self.address, self._name, self._setting, self._keys = address, name, setting, keys
        self.bound = False
        self._tried_s = 0.0
        self._told = False
        self.socket = context.socket(kind)
        self.socket.ipv6 = "[" in address
        self.socket.tcp_keepalive = 1
        self.socket.heartbeat_ivl, self.socket.heartbeat_timeout = PING_MS, PING_TIMEOUT_MS
        if keys is not None:
            curve.secure_server(self.socket, keys)

    def bind(self) -> None:
        """Listen, if nobody else does; say once if somebody does. Called often: it tries every `BIND_EVERY_S`.

        Raises:
            ConfigError: this machine has no such address; only when first called.
        """
        if self.bound or time.monotonic() < self._tried_s + BIND_EVERY_S:
            return
        self._tried_s = time.monotonic()
        try:
            self.socket.bind(self.address)
        except zmq.ZMQError as error:
            self._explain(error)
            return
        self.bound = True
        if self._told:
            logger.warning("%s: %s is free now and listened on", self._name, self.address)
        self._warn_if_open_to_others()

    def _explain(self, error: zmq.ZMQError) -> None:
        name, setting, address = self._name, self._setting, self.address
        if self._told:
            return
        if error.errno != zmq.EADDRINUSE:
            raise ConfigError(
                f"{name}.{setting}: expected an address that this machine can listen on, got {address!r} "
                f"({zmq.strerror(error.errno or 0)}); give another with --set {name}.{setting}=tcp://127.0.0.1:5570"
            ) from error
        self._told = True
        head, _, port = address.rpartition(":")
        logger.warning(
            "%s: %s is taken by another program, perhaps another run: %s until it is free; stop that program or choose "
            "another port with --set %s.%s=%s:%d",
            name,
            address,
            "no events are published" if setting == "endpoint" else "nobody can ask for what was missed",
            name,
            setting,
            head,
            int(port) % 65535 + 1,
        )

    def _warn_if_open_to_others(self) -> None:
        tcp = wire.TCP.fullmatch(self.address)
        if tcp and not tcp["host"].startswith(LOOPBACK) and self._keys is None:
            logger.warning(
                "%s: %s can be read, without a password, by every machine that reaches this one; "
                "python run_graph.py keys DIR makes keys",
                self._name,
                self.address,
            )


class RequestServer:
    """Answers requests on a thread of its own, so that nobody who asks can hold up what is published."""

    def __init__(
        self,
        outlet: Outlet,
        reply: Callable[[Sequence[bytes]], list[bytes]],
        context: zmq.Context[zmq.Socket[bytes]],
        keys: Path | None,
    ) -> None:
        """Take over a ROUTER socket.

        Args:
            outlet: the socket.
            reply: gives the frames of a reply to those of a request.
            context: of ZeroMQ.
            keys: the folder of keys; None: everybody may connect.
        """
        self.asked_s = time.monotonic()
        """When the last request came."""
        self._outlet, self._reply = outlet, reply
        outlet.socket.maxmsgsize = wire.REQUEST_BYTES
        outlet.socket.sndhwm = REPLIES
        self._closing = ExitStack()
        self._closing.callback(outlet.socket.close)
        self._bell = Bell()
        self._closing.callback(self._bell.close)
        self._door = None if keys is None else curve.Door(keys)
        self._zap: zmq.Socket[bytes] | None = None
        if keys is not None:
            self._zap = context.socket(zmq.REP)
            self._closing.callback(self._zap.close)
            self._zap.linger = 0
            self._zap.bind(ZAP)
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="log requests", daemon=True)

    def begin(self) -> None:
        """Listen, and answer from now on.

        Raises:
            ConfigError: this machine has no such address.
        """
        self._outlet.bind()
        self._thread.start()

    def end(self) -> None:
        """Return when the sockets are closed."""
        if self._thread.ident is not None:
            self._ending = True
            self._bell.ring()
            self._thread.join()
        self._closing.close()

    def _run(self) -> None:
        poller = zmq.Poller()
        for one in [self._outlet.socket, self._bell.heard, *([self._zap] if self._zap else [])]:
            poller.register(one, zmq.POLLIN)
        while not self._ending:
            ready = dict(poller.poll(round(BIND_EVERY_S * 1000)))
            self._outlet.bind()
            if self._zap and self._door and self._zap in ready:
                self._zap.send_multipart(self._door.answer(self._zap.recv_multipart()))
            if self._outlet.socket in ready:
                self._answer(self._outlet.socket)

    def _answer(self, router: zmq.Socket[bytes]) -> None:
        self.asked_s = time.monotonic()
        sender, *request = router.recv_multipart()
        envelope = [sender]
        if request and not request[0]:  # a REQ socket puts an empty frame before what it asks
            envelope.append(request.pop(0))
        try:
            router.send_multipart([*envelope, *self._reply(request)], zmq.NOBLOCK)
        except Exception as error:  # whatever somebody asked, the next one gets an answer
            logger.warning("%s: a request could not be answered: %r", self._outlet.address, error)
