"""A subscriber gets every message once and in order, whatever is lost on the way, and says what cannot be mended."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.bus import link
from pipeline.bus.client import Subscriber, shared_root
from pipeline.bus.starts import After, AfterEvent, Resume, Since, Start
from pipeline.errors import ConfigError
from tests.pipeline.bus.fake_publisher import LOG, OTHER_LOG, FakePublisher


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/bus"


@pytest.fixture
def publisher(endpoint: str) -> Iterator[FakePublisher]:
    with FakePublisher(endpoint) as publisher:
        yield publisher


def until(subscriber: Subscriber, last: str) -> list[str]:
    """Return the ids of all messages up to one."""
    ids: list[str] = []
    while ids[-1:] != [last]:
        ids.append(next(subscriber).headers.id)
    return ids


def taken(*ids: str) -> Resume:
    return Resume(tuple((id, id.encode()) for id in ids), lambda message: message.data)


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def another_log(endpoint: str) -> str:
    return (
        f"{endpoint}: expected the log of before, got another one, or an earlier state of it; going on with its first "
        "event: events may come again, or tell otherwise"
    )


def test_messages_come_as_they_are_published(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a", "b")
        first = next(subscriber)

        assert (first.topic, first.data, first.headers.position) == ("look/shop/3/", b"a", 1)
        assert until(subscriber, "b") == ["b"]


def test_what_was_lost_is_asked_for(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        publisher.log_and_send("b", "c", sent=False)
        publisher.log_and_send("d", "e")

        assert until(subscriber, "e") == ["b", "c", "d", "e"]


def test_a_lost_tail_is_asked_for_at_the_next_heartbeat(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")
        publisher.log_and_send("b", "c", sent=False)
        publisher.beat(ended=True)

        assert until(subscriber, "c") == ["a", "b", "c"]


def test_long_gaps_are_asked_for_in_parts(endpoint: str, publisher: FakePublisher) -> None:
    ids = [f"{number}" for number in range(1200)]
    publisher.log_and_send(*ids[:-1], sent=False)
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send(ids[-1])

        assert until(subscriber, ids[-1]) == ids
        assert [ask["after"] for ask in publisher.asked] == [0, 1000]


def test_messages_that_come_twice_are_handed_out_once(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a", "b")
        publisher.send(0)
        publisher.send(1)
        publisher.log_and_send("c")

        assert until(subscriber, "c") == ["a", "b", "c"]


def test_a_prefix_sees_its_own_gaps_and_no_others(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, prefixes=["look/shop/"], start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        asked = len(publisher.asked)
        publisher.log_and_send("other", topic="look/door/1/", sent=False)
        publisher.log_and_send("b")
        assert until(subscriber, "b") == ["b"]
        assert len(publisher.asked) == asked

        publisher.log_and_send("c", topic="look/shop/4/", sent=False)
        publisher.log_and_send("d")
        assert until(subscriber, "d") == ["c", "d"]
        assert publisher.asked[-1]["prefix"] == "look/shop/"


def test_several_prefixes_have_one_order(endpoint: str, publisher: FakePublisher) -> None:
    with Subscriber(endpoint, prefixes=["look/shop/3/", "look/door/"], start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a", topic="look/door/7/", sent=False)
        publisher.log_and_send("b", topic="look/shop/30/")
        publisher.log_and_send("c", topic="look/shop/3/")

        assert until(subscriber, "c") == ["a", "c"]


@pytest.mark.parametrize(
    ("prefixes", "root"),
    [
        ([""], ""),
        (["look/shop/"], "look/shop/"),
        (["look/shop/3/", "look/shop/30/"], "look/shop/"),
        (["look/shop/", "measure/shop/"], ""),
        (["look/shop/", ""], ""),
        (["a/b/c/d/"], "a/b/c/"),
    ],
)
def test_shared_root_is_made_of_whole_segments(prefixes: list[str], root: str) -> None:
    assert shared_root(prefixes) == root


@pytest.mark.parametrize(
    ("prefixes", "complaint"),
    [
        (["look/sh"], "prefixes: expected segments that each end with '/', got 'look/sh'; write look/shop/"),
        ([], 'prefixes: expected one or more, got none; write "" for all'),
    ],
)
def test_a_prefix_that_cuts_a_segment_is_refused(prefixes: list[str], complaint: str) -> None:
    with pytest.raises(ValueError) as raised:
        shared_root(prefixes)
    assert str(raised.value) == complaint


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


def test_messages_outside_the_log_come_once(
    endpoint: str, publisher: FakePublisher, caplog: pytest.LogCaptureFixture
) -> None:
    with Subscriber(endpoint, prefixes=["look/"], start=After()) as subscriber:
        publisher.meet()
        publisher.log_and_send("a")
        assert until(subscriber, "a") == ["a"]
        publisher.send_unlogged("b")
        publisher.send_unlogged("b")
        publisher.send_unlogged("c")
        assert until(subscriber, "c") == ["b", "c"]
        publisher.log_and_send("b", "c", "d")

        assert until(subscriber, "d") == ["d"]
    assert said(caplog) == [
        f"{endpoint}: expected a durable log behind the events, got none at the moment: what is missed now may be lost"
    ]


def test_without_a_log_there_is_nothing_to_ask(endpoint: str) -> None:
    with FakePublisher(endpoint, log=None) as publisher, Subscriber(endpoint) as subscriber:
        publisher.meet()
        publisher.send_unlogged("a")

        assert until(subscriber, "a") == ["a"]
        assert publisher.asked == []


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
        with FakePublisher(endpoint) as publisher:
            publisher.meet()
            publisher.log_and_send("a")
            publisher.held = ["a"]
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


@settings(max_examples=25, phases=[Phase.generate])
@given(
    faults=st.lists(st.sampled_from(["sent", "lost", "twice", "beat", "other", "restart"]), min_size=1, max_size=12),
    prefix=st.sampled_from(["", "look/", "look/shop/", "look/shop/3/"]),
)
def test_whatever_is_lost_nothing_is_missing(faults: list[str], prefix: str) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Subscriber(f"ipc://{folder}/bus", prefixes=[prefix], start=After()) as subscriber,
        ThreadPoolExecutor() as pool,  # subscriptions go to a new publisher only while somebody is receiving
    ):
        got = pool.submit(until, subscriber, "last")
        publisher = FakePublisher(f"ipc://{folder}/bus")
        publisher.meet()
        for number, fault in enumerate(faults):
            if fault == "restart":
                publisher.kill()
                publisher = FakePublisher(f"ipc://{folder}/bus", kept=publisher.kept)
                publisher.meet()
            elif fault == "beat":
                publisher.beat()
            else:
                topic = "measure/shop/" if fault == "other" else "look/shop/3/"
                publisher.log_and_send(f"{number}", topic=topic, sent=fault != "lost")
                if fault == "twice":
                    publisher.send(-1)
        publisher.log_and_send("last")
        wanted = [headers["id"] for topic, headers, _ in publisher.kept if topic.startswith(prefix)]

        assert got.result() == wanted
        publisher.kill()
