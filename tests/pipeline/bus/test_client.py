"""A subscriber gets every message once and in order, whatever is lost on the way."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipeline.bus.client import Subscriber, shared_root
from pipeline.bus.starts import After
from tests.pipeline.bus.fake_publisher import FakePublisher
from tests.pipeline.bus.hearing import said, until


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
