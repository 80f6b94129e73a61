"""A channel keeps order, keeps to its capacity, and ends as it should."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channel import Channel, ChannelClosed, ChannelStatistics
from tests.pipeline.rig import PATIENCE_S


def started(target: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args)
    thread.start()
    return thread


def all_of(channel: Channel[Any]) -> list[Any]:
    got = []
    while True:
        try:
            got.append(channel.get())
        except ChannelClosed:
            return got


def test_items_come_out_in_order_and_then_the_end_comes():
    channel = Channel[int](3)
    for item in (3, 1, 2):
        channel.put(item)
    channel.close()

    assert all_of(channel) == [3, 1, 2]
    with pytest.raises(ChannelClosed):
        channel.get()


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4))
def test_whatever_is_put_arrives_once_and_in_order_between_two_threads(items: list[int], capacity: int):
    channel = Channel[int](capacity)

    def put_all() -> None:
        for item in items:
            channel.put(item)
        channel.close()

    thread = started(put_all)
    got = all_of(channel)
    thread.join(PATIENCE_S)

    assert got == items
    assert channel.statistics().peak <= capacity


def test_put_waits_while_the_channel_is_full():
    channel = Channel[str](1)
    channel.put("first")

    thread = started(channel.put, "second")
    got = [channel.get(), channel.get()]
    thread.join(PATIENCE_S)

    assert got == ["first", "second"]
    assert channel.statistics().peak == 1


def test_get_waits_for_an_item():
    channel = Channel[str](1)
    got: list[str] = []

    thread = started(lambda: got.append(channel.get()))
    channel.put("here")
    thread.join(PATIENCE_S)

    assert got == ["here"]


def test_closing_wakes_who_waits_to_put_and_who_waits_to_get():
    full, empty = Channel[int](1), Channel[int](1)
    full.put(0)
    ended: list[str] = []

    def put() -> None:
        with pytest.raises(ChannelClosed):
            full.put(1)
        ended.append("put")

    def get() -> None:
        with pytest.raises(ChannelClosed):
            empty.get()
        ended.append("get")

    threads = [started(put), started(get)]
    full.close()
    empty.close()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert sorted(ended) == ["get", "put"]
    assert all_of(full) == [0]


def test_nothing_is_put_into_a_closed_channel():
    channel = Channel[int](2)
    channel.close()

    with pytest.raises(ChannelClosed):
        channel.put(1)


def test_statistics_count_what_waits_waited_and_passed():
    channel = Channel[int](4)
    for item in range(3):
        channel.put(item)
    channel.get()
    channel.get()
    channel.put(3)

    assert channel.statistics() == ChannelStatistics(capacity=4, waiting=2, peak=3, passed=2)


def test_a_channel_without_room_is_refused():
    with pytest.raises(ValueError, match=r"^capacity must be >= 1, got 0$"):
        Channel(0)
