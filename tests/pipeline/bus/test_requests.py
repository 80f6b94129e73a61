"""Requests over real sockets, good and bad."""

import threading

import msgspec
import pytest
import zmq

from pipeline.bus import wire
from pipeline.bus.wire import Reply
from tests.pipeline.bus.sockets import WAIT_MS, Bench, answer, messages
from tests.pipeline.bus.stories import message


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


def test_replies_that_nobody_reads_are_not_piled_up(bench: Bench) -> None:
    publisher = bench.start()
    subscriber = bench.subscribe("look/")
    publisher.offer([message(k, data=b"x" * 100_000) for k in range(5)])
    messages(subscriber, 5)
    rude, polite = bench.ask(rcvhwm=1), bench.ask()

    for _ in range(200):
        rude.send(b'{"ask":"events","after":0}')
    answers = 0
    for _ in range(200):  # by then those before are answered, too: it takes from each in turn
        answer(polite, b'{"ask":"events","after":5}')
    while rude.poll(20):
        rude.recv_multipart()
        answers += 1

    assert 0 < answers < 100


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
