"""Publish messages on a thread of its own: kept first, then sent."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import zmq

from pipeline.bus import wire
from pipeline.bus.answers import frames_of
from pipeline.bus.keeper import Keeper, Told
from pipeline.bus.message import Begun, Kept, Message
from pipeline.bus.server import Bell, Outlet, RequestServer
from pipeline.bus.wire import Heartbeat
from pipeline.errors import PipelineError

LISTEN_EVERY_S = 0.05
"""Longest time until a new subscription is noticed while there is much to send."""
QUIET_S = 0.1
"""When nobody has asked for so long after the last message, nobody has missed any."""
SUBSCRIPTIONS = 1000
"""Subscriptions taken note of at once."""
LAST, MORE = int(zmq.NOBLOCK), int(zmq.SNDMORE | zmq.NOBLOCK)
"""Flags as plain numbers: they are handed over three times a message."""


class Publisher:
    """Sends messages to whoever is there, and keeps them for whoever is not.

    `offer()` and `close()` are for one thread. The rest happens on others: one brings messages to the disk and sends
    them, one answers requests, one tidies up the log. What goes wrong with the log is said, and messages go out all
    the same.
    """

    def __init__(
        self,
        name: str,
        endpoint: str,
        requests: str,
        keeper: Keeper,
        *,
        keys: Path | None = None,
        queue: int = 10_000,
        commit_most: int = 1000,
        linger_s: float = 0.5,
    ) -> None:
        """Listen, and begin.

        Args:
            name: of the node that publishes, for what is said.
            endpoint: where messages are published.
            requests: where requests are answered.
            keeper: keeps messages; not opened yet.
            keys: the folder of keys; None: everybody may connect.
            queue: messages that may wait for each subscriber, and for the disk.
            commit_most: messages from which on a commit takes no more of those that wait.
            linger_s: longest time that `close()` waits for subscribers.

        Raises:
            ConfigError: this machine has no such address, or the keys cannot be used.
        """
        self._keeper, self._requests_at = keeper, requests
        self._queue, self._commit_most, self._linger_s = queue, commit_most, linger_s
        self._changed = threading.Condition()
        self._offered: deque[Sequence[Message | Begun]] = deque()
        self._waiting = 0
        self._asleep = self._closing = self._ended = False
        self._failure: BaseException | None = None
        self._subscriptions = 0
        self._beat_due_s = self._listened_s = 0.0
        with ExitStack() as opened:
            context = zmq.Context()
            opened.callback(context.term)
            self._bell = Bell()
            opened.callback(self._bell.close)
            self._outlet = Outlet(context, zmq.XPUB, name, "endpoint", endpoint, keys)
            opened.callback(self._outlet.socket.close)
            asking = Outlet(context, zmq.ROUTER, name, "requests", requests, keys)
            opened.callback(asking.socket.close)
            self._socket = self._outlet.socket
            self._socket.xpub_verboser = True
            self._socket.sndhwm = queue
            self._socket.maxmsgsize = wire.TOPIC_BYTES
            for outlet in (self._outlet, asking):
                outlet.socket.linger = round(linger_s * 1000)
            self._server = RequestServer(asking, keeper.answers.reply, context, keys)
            opened.callback(self._server.end)
            self._outlet.bind()
            self._server.begin()
            self._opened = opened.pop_all()
        self._thread = threading.Thread(target=self._run, name="log and send", daemon=True)
        self._thread.start()

    def offer(self, items: Sequence[Message | Begun]) -> None:
        """Hand items over. Waits only when more than `queue` of them are on their way to the disk.

        Raises:
            PipelineError: publishing has failed.
        """
        with self._changed:
            while self._waiting >= self._queue and self._failure is None:
                self._changed.wait()
            self._check()
            self._offered.append(items)
            self._waiting += len(items)
            asleep, self._asleep = self._asleep, False
        if asleep:
            self._bell.ring()

    def close(self) -> None:
        """Bring what was offered to the disk and send it; wait for subscribers, but no longer than told.

        Once is enough: a second call does nothing.

        Raises:
            PipelineError: publishing has failed.
        """
        if self._closing:
            return
        self._closing = True
        self._bell.ring()
        self._thread.join()
        self._opened.close()  # waits until all is sent, `linger_s` at most
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise PipelineError(f"publishing stopped: {self._failure!r}") from self._failure

    # on the thread that publishes

    def _run(self) -> None:
        try:
            self._keeper.open()
            while items := self._next():
                self._send(self._keeper.keep(items))
            self._send(self._keeper.finish())
            self._ended = True
            self._wait_for_requests()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()
        finally:
            self._keeper.close()

    def _next(self) -> list[Message | Begun]:
        """Return what to keep and send next; nothing when all is done. What else is due is done meanwhile."""
        while True:
            items: list[Message | Begun] = []
            with self._changed:
                while self._offered and len(items) < self._commit_most:
                    items += self._offered.popleft()
                if self._waiting >= self._queue:
                    self._changed.notify_all()
                self._waiting -= len(items)
                self._asleep = not items
                done = self._closing and not items  # asked here: what is offered before closing is seen with it
            now_s = time.monotonic()
            if now_s >= self._keeper.due_s:
                self._send(self._keeper.tend())
            if items:
                if now_s >= self._listened_s + LISTEN_EVERY_S:
                    self._listen(0.0)
                return items
            if done:
                return []
            self._listen(max(min(self._keeper.due_s, self._beat_due_s) - now_s, 0.0))

    def _send(self, told: Told) -> None:
        log, _ = self._keeper.place()
        send = self._socket.send
        recorded_ns, recordedtime = -1, ""
        now_ns = time.time_ns()
        for one in told:
            this_ns = one.recorded_ns if isinstance(one, Kept) else now_ns
            if this_ns != recorded_ns:
                recorded_ns, recordedtime = this_ns, wire.rfc3339(this_ns)
            topic, headers, data = frames_of(one, log, recordedtime)
            send(topic, MORE)
            send(headers, MORE)
            send(data, LAST)

    def _listen(self, wait_s: float) -> None:
        """Take note of new subscriptions, and send a heartbeat when it is due: at once to who is new."""
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._bell.heard, zmq.POLLIN)
        ready = dict(poller.poll(math.ceil(wait_s * 1000)))
        self._listened_s = time.monotonic()
        if self._bell.heard.fileno() in ready:
            self._bell.silence()
        if self._socket in ready:
            self._subscribers()
        self._outlet.bind()
        if self._listened_s >= self._beat_due_s:
            log, position = self._keeper.place()
            heartbeat = wire.encode(Heartbeat(log, position, self._requests_at, self._ended))
            self._socket.send_multipart([wire.HEARTBEAT_TOPIC, heartbeat], zmq.NOBLOCK)
            self._beat_due_s = self._listened_s + wire.HEARTBEAT_S

    def _subscribers(self) -> None:
        for _ in range(SUBSCRIPTIONS):
            try:
                change = self._socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            if change[:1] == b"\1":
                self._subscriptions += 1
                self._beat_due_s = 0.0
            elif change[:1] == b"\0":
                self._subscriptions -= 1

    def _wait_for_requests(self) -> None:
        """Say that the run is over, and answer those who have missed something."""
        began_s = time.monotonic()
        self._beat_due_s = 0.0
        self._listen(0.0)
        while self._subscriptions > 0:
            now_s = time.monotonic()
            until_s = min(began_s + self._linger_s, max(began_s, self._server.asked_s) + QUIET_S)
            if now_s >= until_s:
                return
            self._listen(until_s - now_s)
