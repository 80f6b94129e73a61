import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zmq

from nodes.ops import cloud_events, measure_events
from nodes.publish_events import PublishEvents, interrupted
from nodes.types import Measures, Visits
from pipeline.bus import curve
from tests.helpers import FakeContext, frames, make_node, table
from tests.nodes.published import FRAMES, free_port, logged, visits

WAIT_MS = 10_000
ORIGINS = FakeContext().lineage("looks").origins(FRAMES.streams)
Sub = zmq.Socket[bytes]
Start = Callable[..., PublishEvents]


def subscribe(made: Sub, publisher: PublishEvents, topic: str) -> None:
    """Connect and return once what is published arrives."""
    made.subscribe(topic)
    made.connect(publisher.config.endpoint)
    made.subscribe("log/")  # told after the other: a heartbeat says that both are known
    assert made.poll(WAIT_MS), "nothing arrived"


def received(made: Sub, count: int) -> list[list[bytes]]:
    """Return the next messages, heartbeats left out."""
    messages: list[list[bytes]] = []
    while len(messages) < count:
        assert made.poll(WAIT_MS), f"only {len(messages)} of {count} messages arrived"
        frames = made.recv_multipart()
        messages += [frames] if len(frames) == 3 else []
    return messages


def told(folder: Path) -> list[tuple[str, str, str]]:
    """Return type, reason and sequence of the events that the log of a run holds."""
    events = [cloud_events.decode(one.message.data) for one in logged(folder)]
    return [(event.type.rpartition(".")[2], event.data.reason, event.sequence) for event in events]


@pytest.fixture
def subscriber() -> Iterator[Sub]:
    with zmq.Context() as context, context.socket(zmq.SUB) as made:
        made.linger = 0
        yield made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return what opens a publisher; all are closed after the test, as an open socket would keep it waiting."""
    opened: list[PublishEvents] = []

    def start(**config: Any) -> PublishEvents:
        values = {"endpoint": f"ipc://{tmp_path}/bus", "linger_s": 0, **config}
        node = make_node(PublishEvents, FakeContext(tmp_path), **values)
        node.open()
        opened.append(node)
        return opened[-1]

    yield start
    for publisher in opened:
        publisher.close()


@pytest.fixture(params=["ipc", "tcp"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/other" if request.param == "ipc" else f"tcp://127.0.0.1:{free_port()}"


def test_a_subscriber_gets_topic_headers_and_the_bytes_that_files_have(
    endpoint: str, subscriber: Sub, start: Start
) -> None:
    publisher = start(endpoint=endpoint)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(1, 10))
    first, second = received(subscriber, 2)

    encoded = cloud_events.encode_rows(visits(1, 10), ORIGINS)
    headers = [json.loads(message[1]) for message in (first, second)]
    assert ([first[0], second[0]], [first[2], second[2]]) == ([b"look/shop/1/", b"look/shop/10/"], encoded)
    assert [(one["position"], one["previous"], one["id"]) for one in headers] == [
        (1, [0, 0, 0], "shop/0/1/tea/0/started"),
        (2, [1, 1, 0], "shop/0/10/tea/0/started"),
    ]
    assert headers[0]["contenttype"] == "application/cloudevents+json"


def test_a_subscription_to_track_1_does_not_match_track_10(subscriber: Sub, start: Start) -> None:
    publisher = start()
    subscribe(subscriber, publisher, "look/shop/1/")

    publisher.process(FRAMES, visits(10, 1, 11))
    publisher.process(FRAMES, visits(10, 1, first=3))
    messages = received(subscriber, 2)

    assert [topic for topic, _, _ in messages] == [b"look/shop/1/"] * 2
    assert [json.loads(event)["sequence"][-2:] for _, _, event in messages] == ["01", "04"]


def test_messagepack_is_said(subscriber: Sub, start: Start) -> None:
    publisher = start(format="msgpack")
    subscribe(subscriber, publisher, "")
    reports = table(Measures, stream_id=["shop"], span=["window"], measure=["watchers.1"])

    publisher.process(FRAMES, visits(1), reports)
    messages = received(subscriber, 2)

    types = {json.loads(headers)["contenttype"] for _, headers, _ in messages}
    (report,) = measure_events.events(reports, ORIGINS)
    assert types == {"application/cloudevents+msgpack"}
    assert [event for _, _, event in messages] == [
        cloud_events.encode_rows(visits(1), ORIGINS, form="msgpack")[0],
        measure_events.encode(report, "msgpack"),
    ]


def test_measures_have_a_topic_and_a_count_of_their_own(subscriber: Sub, start: Start, tmp_path: Path) -> None:
    publisher = start()
    subscribe(subscriber, publisher, "measure/")
    row = {"stream_id": ["shop"], "span": ["window"], "measure": ["watchers.1"], "value": [3.0]}
    reports: list[Measures] = [table(Measures, **row, sequence=[k], window_end_ns=[k * 10**9]) for k in (0, 1)]

    publisher.process(FRAMES, visits(1), reports[0])
    publisher.process(FRAMES, visits(2, first=1), reports[1])
    messages = received(subscriber, 2)
    publisher.close()

    (encoded,) = (measure_events.encode(event) for event in measure_events.events(reports[0], ORIGINS))
    headers = [json.loads(message[1]) for message in messages]
    assert (messages[0][0], messages[0][2]) == (b"measure/shop/", encoded)
    assert [one["previous"] for one in headers] == [[0, 0, 0], [2, 2, 0]]
    assert [one.message.source for one in logged(tmp_path)] == ["retail/shop", "retail/shop/measures"] * 2


def test_open_visits_are_held_and_others_are_not(start: Start, subscriber: Sub) -> None:
    publisher = start()
    subscribe(subscriber, publisher, "look/")
    publisher.process(FRAMES, visits(1, 2, 3))
    publisher.process(FRAMES, visits(1, first=3, kind="updated"))
    publisher.process(FRAMES, visits(2, first=4, kind="ended"))
    publisher.process(FRAMES, visits(3, first=5, kind="retracted"))
    received(subscriber, 6)

    subscriber.context.linger = 0
    with subscriber.context.socket(zmq.REQ) as asking:
        asking.connect(f"{publisher.config.endpoint}-requests")
        asking.send(b'{"ask":"snapshot"}')
        assert asking.poll(WAIT_MS)
        reply = asking.recv_multipart()

    assert [json.loads(event)["id"] for event in reply[3::3]] == ["shop/0/1/tea/0/updated"]


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_what_a_killed_run_left_open_is_interrupted_at_the_first_frame_of_a_later_one(
    form: cloud_events.Form, start: Start, tmp_path: Path
) -> None:
    first = start(format=form)
    first.process(frames(1, generation=100), visits(1, 2, generation=100))
    first.process(frames(1, generation=100), visits(1, first=2, kind="ended", generation=100))
    first.close()  # without the end of its stream

    second = start(format=form)
    second.process(frames(1, generation=200), visits(1, generation=200))
    second.close()

    ended = cloud_events.decode(logged(tmp_path)[3].message.data)
    assert told(tmp_path)[3:] == [
        ("ended", "interrupted", "0000000100.0000000003"),
        ("started", "", "0000000200.0000000000"),
    ]
    assert (ended.data.visit, ended.id) == ("shop/100/2/tea/0", "shop/100/2/tea/0/ended")


def test_only_the_stream_that_is_back_is_told_to_have_been_interrupted(start: Start, tmp_path: Path) -> None:
    both = frames(0, stream=["shop", "door"], pts_s=[0, 0])
    first = start()
    first.process(both, visits(1))
    first.process(both, visits(1, stream="door"))
    first.close()

    second = start()
    second.process(frames(1, "door", generation=5), Visits.empty())
    second.close()

    assert [one.message.id for one in logged(tmp_path)[2:]] == ["door/0/1/tea/0/ended"]


def test_an_event_that_cannot_be_read_cannot_be_ended(tmp_path: Path, start: Start) -> None:
    publisher = start()
    publisher.process(FRAMES, visits(1))
    publisher.close()
    (kept,) = logged(tmp_path)
    broken = msgspec.structs.replace(kept.message, data=b"{")

    ended = interrupted(kept.message, 7)

    assert interrupted(broken, 7) is None
    assert ended is not None
    assert (ended.id, ended.sequence, ended.holds) == ("shop/0/1/tea/0/ended", 7, False)
    assert (ended.key, ended.topic, ended.generation) == (kept.message.key, "look/shop/1/", 0)


def test_a_file_that_is_run_again_is_not_told_again(start: Start, subscriber: Sub, tmp_path: Path) -> None:
    for _ in range(2):
        publisher = start()
        publisher.process(FRAMES, visits(1, 2))
        publisher.process(FRAMES, visits(1, 2, first=2, kind="ended"))
        publisher.close()
    third = start()
    subscribe(subscriber, third, "look/")
    third.process(FRAMES, visits(1, 2))
    third.process(FRAMES, visits(3, first=4))

    assert [json.loads(headers)["position"] for _, headers, _ in received(subscriber, 1)] == [5]
    third.close()
    assert len(logged(tmp_path)) == 5


def test_the_same_file_with_other_events_begins_another_log(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for track in (1, 2):
        publisher = start()
        publisher.process(FRAMES, visits(track))
        publisher.close()

    assert [one.message.id for one in logged(tmp_path)] == ["shop/0/2/tea/0/started"]
    assert (tmp_path / "events-1.db").exists()
    assert len(caplog.messages) == 1


def test_without_a_log_nothing_is_kept(start: Start, subscriber: Sub, tmp_path: Path) -> None:
    publisher = start(log=None)
    subscribe(subscriber, publisher, "look/")

    publisher.process(FRAMES, visits(1))
    ((_, headers, _),) = received(subscriber, 1)

    assert (json.loads(headers)["log"], json.loads(headers)["position"]) == (None, None)
    assert not list(tmp_path.glob("*.db"))


def test_the_last_events_arrive_although_the_publisher_closes(subscriber: Sub, start: Start) -> None:
    publisher = start(linger_s=5)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(*range(1, 501)))
    publisher.close()

    assert len(received(subscriber, 500)) == 500


def test_publishing_never_waits_for_a_subscriber_that_does_not_read(subscriber: Sub, start: Start) -> None:
    subscriber.rcvhwm = 1
    publisher = start(queue=1)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(*range(1, 5001)))
    publisher.close()

    got = 0
    while subscriber.poll(50):
        subscriber.recv_multipart()
        got += 1
    assert got < 5000


def test_with_keys_only_who_is_let_in_gets_events(start: Start, subscriber: Sub, tmp_path: Path) -> None:
    curve.make_keys(tmp_path / "keys")
    publisher = start(keys=tmp_path / "keys")
    curve.secure_client(subscriber, tmp_path / "keys")
    subscribe(subscriber, publisher, "look/")

    publisher.process(FRAMES, visits(1))

    assert received(subscriber, 1)[0][0] == b"look/shop/1/"
