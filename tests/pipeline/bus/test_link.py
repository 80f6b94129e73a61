"""A connection outlives its publisher, and says once what is not as it should be."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
import zmq

from pipeline.bus import link
from pipeline.bus.client import Subscriber
from pipeline.bus.link import Link
from pipeline.bus.starts import After
from pipeline.errors import ConfigError
from tests.pipeline.bus.fake_publisher import LOG, FakePublisher
from tests.pipeline.bus.hearing import said, until


def test_a_restarted_publisher_is_heard_again(endpoint: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with FakePublisher(endpoint) as first, Subscriber(endpoint, start=After()) as subscriber:
        first.meet()
        first.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        first.log_and_send("b", "c", sent=False)
        first.answers = [[]]
        first.beat(ended=True)
        with ThreadPoolExecutor() as pool:
            rest = pool.submit(until, subscriber, "d")
            assert first.left_unanswered.wait(10)
            first.kill()  # with a request on its hands
            with FakePublisher(endpoint, kept=first.kept) as second:
                second.meet()
                second.log_and_send("d")
                assert rest.result() == ["b", "c", "d"]
    assert said(caplog) == [
        f"{endpoint}: the run is over; waiting for another one",
        f"{endpoint}: a publisher is there",
    ]


def test_requests_do_not_wait_until_their_own_connection_is_tried_again(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Link._socket

    def never_tries_again(self: Link, kind: int) -> zmq.Socket[bytes]:
        socket = made(self, kind)
        if kind == zmq.DEALER:
            socket.reconnect_ivl = -1
        return socket

    monkeypatch.setattr(Link, "_socket", never_tries_again)
    with FakePublisher(endpoint) as first, Subscriber(endpoint, start=After()) as subscriber:
        first.meet()
        first.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        first.log_and_send("b", sent=False)
        first.kill()
        with FakePublisher(endpoint, kept=first.kept) as second, ThreadPoolExecutor() as pool:
            rest = pool.submit(until, subscriber, "b")
            second.meet()
            assert rest.result() == ["b"]


def test_silence_is_said_once_and_its_end(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(link, "SILENCE_S", 0.05)
    monkeypatch.setattr(link, "POLL_MS", 10)
    with Subscriber(endpoint) as subscriber, ThreadPoolExecutor() as pool:
        heard = pool.submit(until, subscriber, "a")
        while not caplog.records:
            assert not heard.done()
        monkeypatch.setattr(link, "SILENCE_S", 60)
        with FakePublisher(endpoint) as publisher:
            publisher.held = ["a"]  # before it is logged: what is held is asked for at any moment from the greeting on
            publisher.meet()
            publisher.log_and_send("a")
            assert heard.result() == ["a"]
    assert said(caplog) == [
        f"{endpoint}: expected a publisher, got silence for 0.05 s; waiting for one: start it, or check the address",
        f"{endpoint}: a publisher is there",
    ]


def test_requests_that_nobody_answers_are_said_and_sent_again(
    endpoint: str, publisher: FakePublisher, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link, "ANSWER_S", 0.05)
    monkeypatch.setattr(link, "POLL_MS", 10)
    publisher.answers = [[], []]
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")

        assert until(subscriber, "a") == ["a"]
    assert len(publisher.asked) == 3
    assert said(caplog) == [
        f"{endpoint}-requests: expected answers to requests, got none; what is published waits for them; if requests "
        "are answered elsewhere, give that address with --requests"
    ]


def test_requests_go_where_the_publisher_says_or_where_told(endpoint: str, publisher: FakePublisher) -> None:
    publisher.log_and_send("a")
    truth, publisher.requests_told = publisher.requests_told, f"{endpoint}-nowhere"
    with Subscriber(endpoint, start=After(), requests=truth) as subscriber:
        publisher.meet()

        assert until(subscriber, "a") == ["a"]


def test_what_makes_no_sense_is_said_once_and_left_out(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.answers = [[b"{}"], [json.dumps({"log": LOG, "first": 1, "last": 1, "tag": 2, "error": "no"}).encode()]]
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.send_raw(b"look/", b"{}")
        publisher.send_raw(b"look/shop/3/", b"[]", b"")
        publisher.log_and_send("a", sent=False)
        for _ in range(3):
            publisher.beat()

        assert until(subscriber, "a") == ["a"]
    cure = "see docs/zeromq.md, and update the older of the two programs"
    assert sorted(said(caplog)) == [
        f"{endpoint}-requests: no",
        f"{endpoint}-requests: reply: Object missing required field `log` in b'{{}}'; {cure}",
        f"{endpoint}: message: expected 3 frames (topic, headers, data), got 2; {cure}",
    ]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"endpoint": "tcp://localhost"},
            "address: expected tcp://HOST:PORT with a port from 1 to 65535, or ipc://PATH",
        ),
        ({"endpoint": "ipc://bus", "requests": "5571"}, "address for requests: expected tcp://HOST:PORT with a port "),
    ],
)
def test_wrong_addresses_are_refused(options: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        Subscriber(**options)
    assert str(raised.value).startswith(complaint)
