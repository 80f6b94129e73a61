"""Publisher and subscriber together: restarts with one log, and keys."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.bus import curve
from pipeline.bus.client import Subscriber
from pipeline.bus.keeper import Keeper
from pipeline.bus.message import Message
from pipeline.bus.publisher import Publisher
from pipeline.bus.starts import After, Resume, Start
from pipeline.errors import ConfigError


@contextmanager
def publishing(folder: Path, log: str | None = "events.db", keys: Path | None = None) -> Iterator[Publisher]:
    endpoint = f"ipc://{folder}/bus"
    kept = None if log is None else folder / log
    keeper = Keeper("bus", kept, keep_s=1e9, keep_bytes=10**9, room=1000, interrupted=lambda last, sequence: None)
    publisher = Publisher("bus", endpoint, f"{endpoint}-requests", keeper, keys=keys)
    try:
        yield publisher
    finally:
        publisher.close()


def subscriber(folder: Path, start: Start | None = None, keys: Path | None = None) -> Subscriber:
    return Subscriber(f"ipc://{folder}/bus", start=start or After(), keys=keys)


def messages(*numbers: int, held: tuple[int, ...] = ()) -> list[Message]:
    """Return messages, each with its number as id and content."""
    return [
        Message("look/shop/3/", f"{n}", "graph/shop", 0, n, "text/plain", f"{n}", n in held, b"%d" % n) for n in numbers
    ]


def until(subscriber: Subscriber, last: int) -> list[int]:
    numbers: list[int] = []
    while numbers[-1:] != [last]:
        numbers.append(int(next(subscriber).data))
    return numbers


def test_a_rerun_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    with subscriber(tmp_path) as ear, ThreadPoolExecutor() as pool:
        got = pool.submit(until, ear, 5)
        with publishing(tmp_path) as publisher:
            publisher.offer(messages(0, 1, 2))
        with publishing(tmp_path) as publisher:  # the same from the start, and more
            publisher.offer(messages(0, 1, 2, 3))
            publisher.offer(messages(4, 5))

            assert got.result() == [0, 1, 2, 3, 4, 5]


def test_who_comes_late_gets_everything_or_what_is_held(tmp_path: Path) -> None:
    with publishing(tmp_path) as publisher:
        publisher.offer(messages(0, 1, 2, 3, held=(1, 2)))
        with subscriber(tmp_path) as ear:
            assert until(ear, 3) == [0, 1, 2, 3]
        with Subscriber(f"ipc://{tmp_path}/bus") as ear:
            assert until(ear, 2) == [1, 2]
        with subscriber(tmp_path, Resume((("1", b"1"),), lambda message: message.data)) as ear:
            assert until(ear, 3) == [2, 3]


def test_without_a_log_what_is_sent_now_comes(tmp_path: Path) -> None:
    with publishing(tmp_path, log=None) as publisher, subscriber(tmp_path) as ear, ThreadPoolExecutor() as pool:
        got = pool.submit(next, ear)
        number = 0
        while not got.done():
            publisher.offer(messages(number))
            number += 1

        assert got.result().headers.position is None


def test_who_is_let_in_gets_everything(tmp_path: Path) -> None:
    curve.make_keys(tmp_path / "keys")
    with publishing(tmp_path, keys=tmp_path / "keys") as publisher:
        publisher.offer(messages(0, 1))
        with subscriber(tmp_path, keys=tmp_path / "keys") as ear:
            assert until(ear, 1) == [0, 1]


def own_client_key(theirs: Path) -> None:
    curve.make_keys(theirs.parent / "other")
    shutil.copy(theirs.parent / "other" / curve.CLIENT_SECRET, theirs)


@pytest.mark.parametrize(
    ("publisher_has", "subscriber_has", "spoil", "complaint"),
    [
        (
            True,
            True,
            own_client_key,
            "{at}: expected to be let in, got refused, because the publisher does not know this key; copy "
            "{keys}/client.key to the folder clients of its keys, then listen again",
        ),
        (
            True,
            False,
            None,
            "{at}: expected a publisher without keys, got one with keys or another program; give --keys DIR, or "
            "check the address",
        ),
        (
            False,
            True,
            None,
            "{at}: expected a publisher with keys, got one without keys or another program; leave out --keys, or "
            "check the address",
        ),
    ],
)
def test_who_is_not_let_in_is_told(
    tmp_path: Path,
    publisher_has: bool,
    subscriber_has: bool,
    spoil: Callable[[Path], None] | None,
    complaint: str,
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    curve.make_keys(ours)
    shutil.copytree(ours, theirs)
    if spoil:
        spoil(theirs)
    with (
        publishing(tmp_path, keys=ours if publisher_has else None),
        subscriber(tmp_path, keys=theirs if subscriber_has else None) as ear,
        pytest.raises(ConfigError) as raised,
    ):
        next(ear)
    assert str(raised.value) == complaint.format(at=f"ipc://{tmp_path}/bus", keys=theirs)


def test_keys_of_another_publisher_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("ours", "other"):
        curve.make_keys(tmp_path / name)
    at = f"ipc://{tmp_path}/bus"
    with (
        publishing(tmp_path, log=None, keys=tmp_path / "ours"),
        subscriber(tmp_path, keys=tmp_path / "other") as ear,
        ThreadPoolExecutor() as pool,
    ):
        waiting = pool.submit(ear._link._poll)
        while not caplog.records:
            waiting.result()
            waiting = pool.submit(ear._link._poll)
    assert [record.getMessage() for record in caplog.records] == [
        f"{at}: expected a publisher, got one that hangs up; check that {tmp_path}/other/server.key is that of the "
        "publisher"
    ]


def test_missing_keys_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        subscriber(tmp_path, keys=tmp_path)
    assert str(raised.value) == (
        f"{tmp_path}/server.key: expected a key, got: No such file or directory; make keys with: python run_graph.py "
        "keys DIR"
    )
