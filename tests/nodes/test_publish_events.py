import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
from pydantic import ValidationError

from nodes.ops import cloud_events
from nodes.publish_events import PublishEvents
from nodes.types import Visits
from pipeline.errors import ConfigError
from tests.helpers import FakeContext, frames, make_node, run_node, table

WAIT_MS = 5000
FRAMES = frames(0, stream=["shop", "hello"], pts_s=[0, 0])
Sub = zmq.Socket[bytes]
Start = Callable[..., PublishEvents]


def visits(*tracks: int, stream: str = "shop") -> Visits:
    count = len(tracks)
    return table(
        Visits,
        id=[f"{stream}/{number}" for number in range(count)],
        kind=["started"] * count,
        stream_id=[stream] * count,
        track_id=tracks,
        target=["tea"] * count,
        sequence=range(count),
        score=[1] * count,
    )


@pytest.fixture
def subscriber() -> Iterator[Sub]:
    with zmq.Context() as context, context.socket(zmq.SUB) as made:
        made.linger = 0
        yield made


def subscribe(made: Sub, publisher: PublishEvents, topic: str) -> None:
    """Connect and return once what is published arrives."""
    made.subscribe(topic)
    made.subscribe("look/hello/")
    made.connect(publisher.config.endpoint)
    for _ in range(WAIT_MS // 10):
        publisher.process(FRAMES, visits(0, stream="hello"))
        if made.poll(10):
            break
    else:
        pytest.fail("nothing arrived")


def received(made: Sub, count: int) -> list[list[bytes]]:
    """Return the next messages, greetings left out."""
    messages: list[list[bytes]] = []
    while len(messages) < count:
        assert made.poll(WAIT_MS), f"only {len(messages)} of {count} messages arrived"
        message = made.recv_multipart()
        messages += [] if message[0].startswith(b"look/hello/") else [message]
    return messages


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what opens a publisher; all are closed after the test, as an open socket would keep it waiting."""
    opened: list[PublishEvents] = []

    def start(endpoint: str, **config: Any) -> PublishEvents:
        opened.append(make_node(PublishEvents, endpoint=endpoint, **config))
        opened[-1].open()
        return opened[-1]

    yield start
    for publisher in opened:
        publisher.close()


@pytest.fixture(params=["ipc", "tcp"])
def endpoint(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "ipc":
        return f"ipc://{tmp_path}/bus"
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"tcp://127.0.0.1:{free.getsockname()[1]}"


def test_a_subscriber_gets_topic_and_event(endpoint: str, subscriber: Sub, start: Start) -> None:
    publisher = start(endpoint)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(1, 10))
    messages = received(subscriber, 2)
    encoded = cloud_events.encode_rows(visits(1, 10), FakeContext().lineage("looks").origins(FRAMES.streams))

    assert messages == [
        [b"look/shop/1/", encoded[0]],
        [b"look/shop/10/", encoded[1]],
    ]


def test_a_subscription_to_track_1_does_not_match_track_10(tmp_path: Path, subscriber: Sub, start: Start) -> None:
    publisher = start(f"ipc://{tmp_path}/bus")
    subscribe(subscriber, publisher, "look/shop/1/")

    publisher.process(FRAMES, visits(10, 1, 11))
    publisher.process(FRAMES, visits(10, 1))
    messages = received(subscriber, 2)

    assert [topic for topic, _ in messages] == [b"look/shop/1/"] * 2
    assert [json.loads(event)["id"] for _, event in messages] == ["shop/1", "shop/1"]


def test_the_last_events_arrive_although_the_publisher_closes(tmp_path: Path, subscriber: Sub, start: Start) -> None:
    publisher = start(f"ipc://{tmp_path}/bus", linger_s=5)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(*range(500)))
    publisher.close()

    assert len(received(subscriber, 500)) == 500


def test_publishing_never_waits_for_a_subscriber_that_does_not_read(
    tmp_path: Path, subscriber: Sub, start: Start
) -> None:
    subscriber.rcvhwm = 1
    publisher = start(f"ipc://{tmp_path}/bus", queue=1, linger_s=0)
    subscribe(subscriber, publisher, "look/shop/")

    publisher.process(FRAMES, visits(*range(5000)))
    publisher.close()

    got = 0
    while subscriber.poll(50):
        subscriber.recv_multipart()
        got += 1
    assert got < 5000


def test_a_taken_port_is_said_once_and_the_run_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        node = make_node(PublishEvents, endpoint=f"tcp://127.0.0.1:{port}")

        outputs = run_node(node, [(FRAMES, visits(1)), (FRAMES, Visits.empty()), (FRAMES, visits(2))], ["shop"])

    assert outputs == [None] * 4
    assert caplog.messages == [
        f"node: tcp://127.0.0.1:{port} is taken by another program, perhaps another run: events of this run are not "
        f"published; stop that program or choose another port with --set node.endpoint=tcp://127.0.0.1:{port + 1}"
    ]


def test_two_runs_after_each_other_may_use_one_port(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        endpoint = f"tcp://127.0.0.1:{free.getsockname()[1]}"

    for _ in range(2):
        run_node(make_node(PublishEvents, endpoint=endpoint), [(FRAMES, visits(1))])

    assert caplog.messages == []


def test_an_address_of_another_machine_is_refused() -> None:
    node = make_node(PublishEvents, endpoint="tcp://192.0.2.1:5570")  # reserved for documentation: nobody's own

    with pytest.raises(ConfigError) as error:
        node.open()

    assert str(error.value) == (
        "node.endpoint: expected an address that this machine can listen on, got 'tcp://192.0.2.1:5570' (Cannot assign "
        "requested address); give another with --set node.endpoint=tcp://127.0.0.1:5570"
    )


def test_listening_to_other_machines_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("", 0)) as free:
        endpoint = f"tcp://*:{free.getsockname()[1]}"

    run_node(make_node(PublishEvents, endpoint=endpoint), [])

    assert caplog.messages == [
        f"node: {endpoint} can be read, without a password, by every machine that reaches this one"
    ]


@pytest.mark.parametrize(
    "endpoint",
    ["", "5570", "tcp://127.0.0.1", "tcp://127.0.0.1:0", "tcp://127.0.0.1:65536", "udp://127.0.0.1:5570", "ipc://",
     "inproc://bus", "tcp://a b:5570", "tcp://127.0.0.1:5570\n"],
)  # fmt: skip
def test_an_endpoint_that_nobody_could_connect_to_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError) as error:
        make_node(PublishEvents, endpoint=endpoint)

    assert error.value.errors()[0]["msg"] == (
        "Value error, expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH, got "
        f"{endpoint!r}; for example tcp://127.0.0.1:5570"
    )


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:5570", "tcp://*:1", "tcp://[::1]:65535", "tcp://eth0:5570"])
def test_endpoints_of_all_kinds_are_taken(endpoint: str) -> None:
    assert make_node(PublishEvents, endpoint=endpoint).config.endpoint == endpoint
