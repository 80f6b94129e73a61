"""A publisher over real sockets."""

import json
import re
import socket
import threading
import time

import msgspec
import pytest
import zmq

from pipeline.bus import server, wire
from pipeline.bus.log_file import LogFile
from pipeline.bus.message import Begun, Message
from pipeline.bus.wire import Delivered, Heartbeat, Reply
from pipeline.errors import ConfigError
from tests.pipeline.bus.sockets import WAIT_MS, Bench, answer, messages, receive
from tests.pipeline.bus.stories import ids, message, open_log


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
    assert (busy[0].position or 0) < (busy[-1].position or 0)


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


def test_a_later_run_goes_on_with_the_same_log_and_ends_what_was_left_open(bench: Bench) -> None:
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


def test_what_sockets_cannot_be_told_is_an_error_and_no_wait(bench: Bench) -> None:
    with pytest.raises(OverflowError):
        bench.start(queue=1 << 40)
