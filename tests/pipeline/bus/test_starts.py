"""What a subscriber begins with, and what it does when its log is not the one of before."""

from __future__ import annotations

import json

import pytest

from pipeline.bus.client import Subscriber
from pipeline.bus.starts import After, AfterEvent, Resume, Since, Start
from pipeline.errors import ConfigError
from tests.pipeline.bus.fake_publisher import LOG, OTHER_LOG, FakePublisher
from tests.pipeline.bus.hearing import another_log, said, taken, until


def test_without_a_start_what_is_held_comes_first(endpoint: str, publisher: FakePublisher) -> None:
    publisher.log_and_send("a", "b", "c", sent=False)
    publisher.held = ["b"]
    with Subscriber(endpoint) as subscriber:
        publisher.meet()
        assert until(subscriber, "b") == ["b"]
        publisher.log_and_send("d")

        assert until(subscriber, "d") == ["d"]


@pytest.mark.parametrize(
    ("start", "ids"),
    [
        (After(2), ["c", "d"]),
        (Since("2026-01-01T00:00:01.000000Z"), ["b", "c", "d"]),
        (AfterEvent("b"), ["c", "d"]),
        (taken("a", "b"), ["c", "d"]),
    ],
)
def test_starts(endpoint: str, publisher: FakePublisher, start: Start, ids: list[str]) -> None:
    publisher.log_and_send("a", "b", "c", sent=False)
    with Subscriber(endpoint, start=start) as subscriber:
        publisher.meet()
        publisher.log_and_send("d")

        assert until(subscriber, "d") == ids


def test_since_a_time_after_the_last_message_is_from_now_on(endpoint: str, publisher: FakePublisher) -> None:
    publisher.log_and_send("a", "b", sent=False)
    publisher.answers = [[json.dumps({"log": LOG, "first": 1, "last": 2, "position": None, "tag": 1}).encode()]]
    with Subscriber(endpoint, start=Since("2030-01-01T00:00:00Z")) as subscriber:
        publisher.meet()
        publisher.log_and_send("c")

        assert until(subscriber, "c") == ["c"]


def test_an_unknown_event_to_begin_after_is_an_error(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, start=AfterEvent("no")) as subscriber:
        publisher.meet()
        with pytest.raises(ConfigError) as raised:
            next(subscriber)
    assert str(raised.value) == (
        f"{endpoint}: expected an event of the log to begin after, got 'no', which is not in it; give another id, a "
        "time, or start"
    )


def test_events_taken_before_they_were_logged_do_not_come_again(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.log_and_send("a", "b", sent=False)
    with Subscriber(endpoint, start=taken("a", "b", "early")) as subscriber:
        publisher.meet()
        publisher.log_and_send("c", sent=False)
        publisher.beat()
        assert until(subscriber, "c") == ["c"]
        publisher.log_and_send("early", "d")

        assert until(subscriber, "d") == ["d"]
    assert said(caplog) == [f"{endpoint}: the last 1 events taken before are not in the log; going on after 'b'"]


@pytest.mark.parametrize("resume", [taken("x", "y"), Resume((("a", b"otherwise"),), lambda message: message.data)])
def test_a_log_that_tells_otherwise_than_what_was_taken_begins_anew(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture, resume: Resume
) -> None:
    publisher.log_and_send("a", "b", sent=False)
    with Subscriber(endpoint, start=resume) as subscriber:
        publisher.meet()

        assert until(subscriber, "b") == ["a", "b"]
    assert said(caplog) == [
        f"{endpoint}: expected a log with the last events taken before, got another log, or one whose retention "
        "removed them; going on with all that it holds"
    ]


def test_another_log_is_said_and_read_from_its_start(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a", "b")
        assert until(subscriber, "b") == ["a", "b"]
        publisher.log, publisher.kept = OTHER_LOG, []
        publisher.log_and_send("a", sent=False)
        publisher.log_and_send("x")

        assert until(subscriber, "x") == ["a", "x"]
        assert said(caplog) == [another_log(endpoint)]
        publisher.beat(7, log="a" * 32)  # was still on its way when the log was replaced
        publisher.log_and_send("y")
        assert until(subscriber, "y") == ["y"]


def test_what_retention_removed_is_counted(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        publisher.log_and_send("b", "c", "d", sent=False)
        publisher.first = 4
        publisher.log_and_send("e")

        assert until(subscriber, "e") == ["d", "e"]
    assert said(caplog) == [
        f"{endpoint}: expected events after position 1, got a log that begins with 4: the 2 events were removed by its "
        "retention before they could be asked for; let it keep more"
    ]


def test_the_start_is_the_oldest_kept_whatever_it_is(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    publisher.log_and_send("a", "b", "c", sent=False)
    publisher.first = 3
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()

        assert until(subscriber, "c") == ["c"]
    assert said(caplog) == []


def test_a_log_put_back_to_an_earlier_state_is_said(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a", "b", "c")
        assert until(subscriber, "c") == ["a", "b", "c"]
        del publisher.kept[1:]
        publisher.log_and_send("x", sent=False)
        publisher.beat()

        assert until(subscriber, "x") == ["a", "x"]
    assert said(caplog) == [another_log(endpoint)]
