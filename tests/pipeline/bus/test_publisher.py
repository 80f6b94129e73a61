"""A publisher over real sockets."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from pipeline.bus import server, wire
from pipeline.bus.keeper import Keeper, Told
from pipeline.bus.log_file import LogFile
from pipeline.bus.message import Begun, Message
from pipeline.bus.publisher import Publisher
from pipeline.bus.wire import Delivered, Heartbeat, Reply
from pipeline.errors import ConfigError, PipelineError
from tests.pipeline.bus.stories import ids, message, open_log

WAIT_MS = 10_000
Socket = zmq.Socket[bytes]


@pytest.fixture
def context() -> Iterator[zmq.Context[Socket]]:
    with zmq.Context() as made:
        made.linger = 0
        yield made


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
        for prefix in (*prefixes, "log/"):
            made.subscribe(prefix)
        made.connect(endpoint or self.endpoint)
        assert isinstance(receive(made), Heartbeat)
        return made

    def ask(self, kind: int = zmq.DEALER) -> Socket:
        made = self.socket(kind)
        made.connect(self.requests)
        return made

    def close(self) -> None:
        for publisher in self.publishers:
            publisher.close()
        for one in self._sockets:
            one.close()


@pytest.fixture
def bench(tmp_path: Path, context: zmq.Context[Socket]) -> Iterator[Bench]:
    made = Bench(tmp_path, context)
    yield made
    made.close()


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


def test_a_message_comes_with_its_place_in_the_log(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.subscribe("look/")

    publisher.offer([message(0), message(1, 2)])
    came = messages(subscriber, 2)

    log = came[0].headers.log
    assert re.fullmatch("[0-9a-f]{32}", log or "")
    assert [(one.topic, one.data) for one in came] == [("look/shop/1/", b"shop/0/0"), ("look/shop/2/", b"shop/0/1")]
    assert [(one.headers.log, one.headers.position, one.headers.previous) for one in came] == [
        (log, 1, (0, 0, 0)),
        (log, 2, (1, 1, 0)),
    ]
    assert [(one.headers.id, one.headers.contenttype) for one in came] == [
        ("shop/0/0", "text/plain"),
        ("shop/0/1", "text/plain"),
    ]
    assert abs(wire.epoch_ns(came[0].headers.recordedtime) - time.time_ns()) < 60 * 10**9


def test_what_came_is_in_the_log_already(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.subscribe("look/")
    asking = bench.ask()

    for k in range(20):
        publisher.offer([message(k)])
        came = messages(subscriber, 1)[0]
        reply, kept = answer(asking, b'{"ask":"events","after":%d}' % k)

        assert (reply.last, kept) == (k + 1, [came])


def test_without_a_log_messages_have_no_place_and_only_what_is_held_can_be_asked_for(bench: Bench) -> None:
    publisher = bench.start(log=False)
    subscriber = bench.subscribe("look/")
    asking = bench.ask()

    publisher.offer([Begun("retail/shop", 0), message(0, key="a", holds=True), message(1)])
    came = messages(subscriber, 2)
    snapshot, held = answer(asking, b'{"ask":"snapshot"}')
    events, _ = answer(asking, b'{"ask":"events","after":0}')

    assert [(one.headers.log, one.headers.position, one.headers.previous) for one in came] == [
        (None, None, (0, 0, 0))
    ] * 2
    assert (snapshot, [one.headers.id for one in held]) == (Reply(log=None, first=1, last=0, upto=0), ["shop/0/0"])
    assert events.error == (
        "log: expected a publisher that keeps what it publishes, got one that does not; give it a log"
    )


def test_who_subscribes_is_told_at_once_where_the_log_ends_and_where_to_ask(bench: Bench) -> None:
    publisher = bench.start()
    first = bench.subscribe("look/")
    publisher.offer([message(0), message(1)])
    messages(first, 2)

    second = bench.socket(zmq.SUB)
    second.subscribe("log/")
    second.connect(bench.endpoint)
    beat = receive(second)

    assert isinstance(beat, Heartbeat)
    assert (beat.position, beat.requests, beat.ended) == (2, bench.requests, False)


def test_heartbeats_go_on_while_nothing_happens_and_while_much_does(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEARTBEAT_S", 0.02)
    publisher = bench.start()
    subscriber = bench.subscribe("look/")

    idle = [receive(subscriber) for _ in range(3)]
    busy: list[Heartbeat] = []
    sequence = 0
    while len(busy) < 3:
        publisher.offer([message(sequence)])
        sequence += 1
        came = receive(subscriber)
        busy += [came] if isinstance(came, Heartbeat) else []

    assert all(isinstance(one, Heartbeat) and one.position == 0 for one in idle)
    assert busy[-1].position or 0 > 0


def test_the_last_heartbeat_says_that_the_run_is_over(bench: Bench) -> None:
    publisher = bench.start(linger_s=5.0)
    subscriber = bench.subscribe("look/")

    publisher.offer([message(k) for k in range(500)])
    publisher.close()
    came = [receive(subscriber)]
    while not (isinstance(came[-1], Heartbeat) and came[-1].ended):
        came.append(receive(subscriber))

    assert [one.data for one in came if isinstance(one, Delivered)] == [b"shop/0/%d" % k for k in range(500)]
    assert isinstance(came[-1], Heartbeat)
    assert came[-1].position == 500


def test_who_has_missed_the_last_messages_can_still_ask_for_them(bench: Bench) -> None:
    publisher = bench.start(linger_s=5.0)
    subscriber = bench.subscribe()  # to heartbeats alone, so that all else is missed
    asking = bench.ask()
    publisher.offer([message(k) for k in range(5)])
    closing = threading.Thread(target=publisher.close)
    closing.start()

    while not getattr(receive(subscriber), "ended", False):
        pass
    _, missed = answer(asking, b'{"ask":"events","after":2}')
    closing.join()

    assert [one.headers.position for one in missed] == [3, 4, 5]


def test_nobody_waits_for_requests_where_nobody_listens(bench: Bench) -> None:
    publisher = bench.start(linger_s=60.0)
    publisher.offer([message(0)])

    began_s = time.monotonic()
    publisher.close()

    assert time.monotonic() - began_s < 5


def test_requests_of_all_kinds_are_answered(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.subscribe("look/")
    publisher.offer([message(k, 1 + k % 2, key=str(k % 3), holds=k < 5) for k in range(6)])
    came = messages(subscriber, 6)
    time_of_all = came[0].headers.recordedtime
    asking = bench.ask()

    events, after_2 = answer(asking, b'{"ask":"events","after":2,"most":3,"tag":7}')
    below, of_track_2 = answer(asking, b'{"ask":"events","after":2,"prefix":"look/shop/2/"}')
    snapshot, held = answer(asking, b'{"ask":"snapshot"}')
    other, of_none = answer(asking, b'{"ask":"snapshot","prefix":"look/door/"}')
    found, _ = answer(asking, b'{"ask":"find","id":"shop/0/4"}')
    unknown, _ = answer(asking, b'{"ask":"find","id":"shop/0/9"}')
    since, _ = answer(asking, wire.encode(wire.AskSince(time_of_all)))
    never, _ = answer(asking, b'{"ask":"since","time":"2999-01-01T00:00:00Z"}')

    log = came[0].headers.log
    assert (events, after_2) == (Reply(log=log, first=1, last=6, upto=5, tag=7), came[2:5])
    assert (below.upto, of_track_2) == (6, [came[3], came[5]])
    assert (snapshot, held) == (Reply(log=log, first=1, last=6, upto=6), [came[3], came[4]])
    assert (other.upto, of_none) == (6, [])
    assert [one.position for one in (found, unknown, since, never)] == [5, None, 1, None]


def test_a_req_socket_is_answered_too(bench: Bench) -> None:
    bench.start()
    bench.subscribe()

    reply, _ = answer(bench.ask(zmq.REQ), b'{"ask":"snapshot"}')

    assert (reply.last, reply.upto) == (0, 0)


@pytest.mark.parametrize(
    ("request_frames", "error"),
    [
        ([b"{"], "request: Input data was truncated in b'{'"),
        ([b'{"ask":"everything"}'], "request: Invalid value 'everything' - at `$.ask` in b'{\"ask\":\"everything\"}'"),
        ([b'{"ask":"events","after":-1}'], "request: Expected `int` >= 0 - at `$.after` in "),
        ([b'{"ask":"events","after":0,"most":1001}'], "request: Expected `int` <= 1000 - at `$.most` in "),
        ([b'{"ask":"events"}'], "request: Object missing required field `after` in "),
        ([b'{"ask":"snapshot","prefx":"look/"}'], "request: Object contains unknown field `prefx` in "),
        ([b"\xff\x00"], "request: JSON is malformed: invalid character (byte 0) in "),
        ([b'{"ask":"events","after":' + b"[" * 60_000], "request: Expected `int`, got `array` - at `$.after` in "),
        ([b"{}", b"{}"], "request: expected 1 frame of JSON, got 2 frames"),
        ([b'{"ask":"since","time":"today"}'], "time: expected a time with a zone such as 2026-05-04T09:30:00Z, got "),
        ([b'{"ask":"since","time":"2026-05-04T09:30:00"}'], "time: expected a time with a zone such as "),
    ],
)  # fmt: skip
def test_bad_requests_are_answered_with_what_is_wrong(bench: Bench, request_frames: list[bytes], error: str) -> None:
    bench.start(log=True)
    bench.subscribe()
    asking = bench.ask()

    asking.send_multipart(request_frames)
    assert asking.poll(WAIT_MS)
    reply, _ = wire.decode_reply(asking.recv_multipart())
    good, _ = answer(asking, b'{"ask":"snapshot"}')

    assert str(reply.error).startswith(error)
    assert good.error is msgspec.UNSET


def test_a_request_that_is_too_large_is_not_read(bench: Bench) -> None:
    bench.start()
    bench.subscribe()
    rude, polite = bench.ask(), bench.ask()

    rude.send(b" " * (wire.REQUEST_BYTES + 1))
    reply, _ = answer(polite, b'{"ask":"snapshot"}')

    assert reply.last == 0
    assert not rude.poll(0)


def test_requests_are_answered_while_messages_are_published(bench: Bench) -> None:
    publisher = bench.start()
    bench.subscribe()
    asking = bench.ask()
    stop = threading.Event()

    def publish() -> None:
        sequence = 0
        while not stop.is_set():
            publisher.offer([message(sequence)])
            sequence += 1

    publishing = threading.Thread(target=publish)
    publishing.start()
    seen, position = [], 0
    while len(seen) < 300:
        reply, kept = answer(asking, b'{"ask":"events","after":%d}' % position)
        seen += [one.headers.position for one in kept]
        position = reply.upto if isinstance(reply.upto, int) else -1
    stop.set()
    publishing.join()

    assert seen == list(range(1, len(seen) + 1))


def test_offers_wait_only_when_too_much_is_on_its_way(bench: Bench) -> None:
    keeper = Slow()
    publisher = bench.start(keeper=keeper, queue=4)
    offered: list[int] = []

    def offer() -> None:
        for k in range(20):
            publisher.offer([message(k)])
            offered.append(k)

    offering = threading.Thread(target=offer)
    offering.start()
    keeper.entered.wait(10)
    offering.join(0.1)
    waited = len(offered)
    keeper.gate.set()
    offering.join(10)

    assert 4 < waited <= 8  # what was taken when the thread stopped, and the queue
    assert offered == list(range(20))


class Slow(Keeper):
    """Keeps nothing until it is let."""

    def __init__(self) -> None:
        super().__init__("bus", None, keep_s=1, keep_bytes=1, room=1, interrupted=lambda last, sequence: None)
        self.gate, self.entered = threading.Event(), threading.Event()

    def keep(self, items: Any) -> Told:
        self.entered.set()
        self.gate.wait(10)
        return super().keep(items)


def test_a_failure_of_the_publishing_thread_is_told_to_who_offers(bench: Bench) -> None:
    class Broken(Slow):
        def keep(self, items: Any) -> Told:
            raise RuntimeError("no more")

    publisher = bench.start(keeper=Broken())
    publisher.offer([message(0)])

    with pytest.raises(PipelineError) as error:
        for k in range(10**6):
            publisher.offer([message(k)])
    bench.publishers.clear()
    with pytest.raises(PipelineError, match=re.escape("publishing stopped: RuntimeError('no more')")):
        publisher.close()

    assert str(error.value) == "publishing stopped: RuntimeError('no more')"


def test_many_waiting_messages_are_committed_together_but_not_all(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = Slow()
    sizes: list[int] = []
    keep = Slow.keep
    monkeypatch.setattr(Slow, "keep", lambda self, items: [sizes.append(len(items)), keep(self, items)][1])
    publisher = bench.start(keeper=keeper, commit_most=6)

    publisher.offer([message(0)])
    keeper.entered.wait(10)
    for k in range(4):
        publisher.offer([message(4 * k + part) for part in range(4)])
    keeper.gate.set()
    publisher.close()

    assert sizes == [1, 8, 8]


def test_publishing_goes_on_while_the_log_is_in_use_and_is_made_up_for(bench: Bench) -> None:
    other = LogFile(bench.log)
    publisher = bench.start()
    subscriber = bench.subscribe("look/")
    asking = bench.ask()

    publisher.offer([message(0, key="a", holds=True)])
    live = messages(subscriber, 1)
    events, _ = answer(asking, b'{"ask":"events","after":0}')
    snapshot, held = answer(asking, b'{"ask":"snapshot"}')
    other.close()
    late = messages(subscriber, 1)

    assert (live[0].headers.log, live[0].headers.position) == (None, None)
    assert events.error == "log: expected one that can be used, got one that cannot at the moment; ask again later"
    assert (snapshot.log, [one.headers.id for one in held]) == (None, ["shop/0/0"])
    assert (late[0].headers.position, late[0].headers.id, late[0].data) == (1, "shop/0/0", live[0].data)


def test_an_address_that_becomes_free_is_taken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "BIND_EVERY_S", 0.02)
    monkeypatch.setattr(wire, "HEARTBEAT_S", 0.02)
    taken, asked = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in (taken, asked)]
    endpoint, requests = (f"tcp://127.0.0.1:{port}" for port in ports)

    publisher = bench.start(endpoint=endpoint, requests=requests)
    publisher.offer([message(0)])
    taken.close()
    asked.close()
    subscriber = bench.subscribe("look/", endpoint=endpoint)
    publisher.offer([message(1)])
    came = messages(subscriber, 1)
    bench.requests = requests
    reply, kept = answer(bench.ask(), b'{"ask":"events","after":0}')

    assert came[0].headers.position == 2
    assert (reply.last, len(kept)) == (2, 2)
    taken_too = "is taken by another program, perhaps another run:"
    cure = "until it is free; stop that program or choose another port with --set"
    assert sorted(caplog.messages) == sorted(
        [
            f"bus: {endpoint} {taken_too} no events are published {cure} bus.endpoint=tcp://127.0.0.1:{ports[0] + 1}",
            f"bus: {requests} {taken_too} nobody can ask for what was missed {cure} "
            f"bus.requests=tcp://127.0.0.1:{ports[1] + 1}",
            f"bus: {endpoint} is free now and listened on",
            f"bus: {requests} is free now and listened on",
        ]
    )


def test_an_address_of_another_machine_is_refused(bench: Bench) -> None:
    with pytest.raises(ConfigError) as error:
        bench.start(endpoint="tcp://192.0.2.1:5570")  # reserved for documentation: nobody's own

    assert str(error.value) == (
        "bus.endpoint: expected an address that this machine can listen on, got 'tcp://192.0.2.1:5570' (Cannot assign "
        "requested address); give another with --set bus.endpoint=tcp://127.0.0.1:5570"
    )


def test_a_run_killed_and_begun_again_goes_on_with_the_same_log(bench: Bench) -> None:
    publisher = bench.start()
    publisher.offer([message(0, key="a", holds=True), message(1, key="b", holds=True)])
    publisher.close()

    again = bench.start()
    subscriber = bench.subscribe("look/")
    again.offer([Begun("retail/shop", 1), message(0, generation=1)])
    came = messages(subscriber, 3)
    again.close()

    log = open_log(bench.log)
    log.close()
    assert [one.headers.position for one in came] == [3, 4, 5]
    assert {one.headers.log for one in came} == {log.id}
    assert ids(log.held) == []


def test_a_message_is_what_the_page_about_it_says(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.socket(zmq.SUB)
    subscriber.subscribe("")
    subscriber.connect(bench.endpoint)
    assert subscriber.poll(WAIT_MS)
    topic, beat = subscriber.recv_multipart()

    publisher.offer([message(0)])
    while len(frames := subscriber.recv_multipart()) != 3:
        pass

    assert (topic, set(json.loads(beat))) == (b"log/", {"log", "position", "requests", "ended"})
    assert frames[0] == b"look/shop/1/"
    assert set(json.loads(frames[1])) == {"log", "position", "previous", "recordedtime", "contenttype", "id"}
    assert frames[2] == b"shop/0/0"


def test_message_ids_are_kept_as_they_are(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.subscribe("look/")
    odd: Message = msgspec.structs.replace(message(0), id='Käse "1"\n\\')

    publisher.offer([odd])

    assert messages(subscriber, 1)[0].headers.id == odd.id
