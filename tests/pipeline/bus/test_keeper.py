"""Messages kept in a log that nothing is wrong with: what is told again, left open, forgotten."""

from pathlib import Path

import pytest

from pipeline.bus.keeper import Keeper, Told
from pipeline.bus.log import Log
from pipeline.bus.message import Begun
from tests.pipeline.bus.keeping import held, keeper, of_file
from tests.pipeline.bus.stories import ids, message


def test_without_a_log_messages_pass_and_the_last_of_each_key_is_held(opened: list[Keeper]) -> None:
    one = keeper(None, opened)

    told = one.keep([Begun("retail/shop", 1), message(0, key="a", holds=True), message(1, key="b", holds=True)])
    again = one.keep([message(0, key="a", holds=True), message(2, key="b", holds=False)])

    assert (ids(told), ids(again)) == (["- shop/0/0", "- shop/0/1"], ["- shop/0/0", "- shop/0/2"])
    assert (one.place(), held(one), one.tend(), one.finish()) == ((None, None), ["- shop/0/0"], [], [])


def test_messages_are_kept_and_what_is_held_has_its_place(path: Path, opened: list[Keeper]) -> None:
    one = keeper(path, opened)

    told = one.keep([message(0, key="a", holds=True), message(1, key="b", holds=True), message(2, key="a")])

    log, last = one.place()
    assert ids(told) == ["1 shop/0/0", "2 shop/0/1", "3 shop/0/2"]
    assert one.held.snapshot() == ([told[1]], log, 3)
    assert last == 3


def test_what_an_earlier_run_left_open_is_ended_when_a_later_generation_begins(
    path: Path, opened: list[Keeper]
) -> None:
    first = keeper(path, opened)
    first.keep([message(k, key=key, holds=True) for k, key in enumerate("abc")] + [message(3, key="b")])
    first.keep([message(4, key="a", holds=True), message(0, key="d", holds=True, stream="door")])
    first.keep([message(0, key="e", holds=True, generation=7)])
    first.close()

    second = keeper(path, opened)
    same = second.keep([Begun("retail/shop", 0)])
    told = second.keep([Begun("retail/shop", 7), message(1, key="e", holds=True, generation=7)])
    later = second.keep([Begun("retail/shop", 9)])

    assert (same, ids(told)) == ([], ["8 shop/0/2+5", "9 shop/0/4+6", "10 shop/7/1"])
    assert ids(later) == ["11 shop/7/1+2"]
    assert held(second) == ["6 door/0/0"]


def test_what_cannot_be_read_stays_open_and_is_told(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0, key="a", holds=True, data=b"unreadable"), message(1, key="b", holds=True)])

    told = one.keep([Begun("retail/shop", 1)])

    assert ids(told) == ["3 shop/0/1+2"]
    assert held(one) == ["1 shop/0/0"]
    assert caplog.messages == ["bus: 'shop/0/0', left open by an earlier run, cannot be read and stays open"]


def test_the_same_story_told_again_is_no_news(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    first = keeper(path, opened)
    first.keep([message(k) for k in range(4)])
    first.close()

    second = keeper(path, opened)
    told = [ids(second.keep([Begun("retail/shop", 0), message(k), message(k + 1)])) for k in (0, 2, 4)]

    assert told == [[], [], ["5 shop/0/4", "6 shop/0/5"]]
    assert caplog.messages == []


def test_another_story_begins_another_log_with_all_that_this_run_has_told(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    first = keeper(path, opened)
    first.keep([message(k, stream=stream, key=stream, holds=True) for k in range(3) for stream in ("shop", "door")])
    first.keep([message(0, stream="yard", key="yard", holds=True)])
    first.close()

    second = keeper(path, opened)
    same = second.keep([message(0, stream="door"), message(1, stream="door", key="door", holds=True)])
    told = second.keep([message(0, stream="shop", data=b"other"), message(2, stream="door")])
    second.close()

    aside = path.with_name("events-1.db")
    assert (same, ids(told)) == ([], ["1 door/0/0", "2 door/0/1", "3 shop/0/0", "4 door/0/2"])
    assert of_file(path) == ids(told)
    assert len(of_file(aside)) == 7
    assert caplog.messages == [
        f"bus: event log {path}: expected the same events of the same input as before, got others, as after a change "
        f"of values; the log was moved to {aside}, and a new one begins"
    ]


def test_a_run_that_contradicts_itself_begins_no_other_log(
    path: Path, opened: list[Keeper], caplog: pytest.LogCaptureFixture
) -> None:
    one = keeper(path, opened)
    one.keep([message(0), message(1)])

    told = [one.keep([message(k, data=b"other"), message(1), message(2 + k)]) for k in (0, 1)]

    assert [ids(some) for some in told] == [["3 shop/0/2"], ["4 shop/0/3"]]
    assert not path.with_name("events-1.db").exists()
    assert caplog.messages == [f"bus: 'shop/0/{k}' is told again with other content; the first stays" for k in (0, 1)]


def test_the_log_forgets_what_is_too_old_and_so_does_the_snapshot(path: Path, opened: list[Keeper]) -> None:
    log = Log(path, lambda _: None)
    log.append([message(0, key="a", holds=True), message(1, key="b", holds=True)], 0)  # in 1970
    log.close()

    one = keeper(path, opened, keep_s=3600.0)
    one.keep([message(2, key="b", holds=True)])
    before = held(one)
    one.tend()

    assert (before, held(one)) == (["1 shop/0/0", "3 shop/0/2"], ["3 shop/0/2"])


def test_forgetting_much_is_due_again_at_once(
    path: Path, opened: list[Keeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.bus.log.FORGET_ROWS", 10)
    log = Log(path, lambda _: None)
    log.append([message(k) for k in range(30)], 0)
    log.close()
    one = keeper(path, opened, keep_s=3600.0)

    one.tend()
    due_s = one.due_s
    one.tend()
    one.tend()

    assert (due_s, one.due_s > 0) == (0.0, True)
    assert one.answers.log is not None
    assert one.answers.log.reader.first == 30


def test_told_has_the_type_that_is_sent(opened: list[Keeper]) -> None:
    told: Told = keeper(None, opened).keep([message(0)])

    assert told == [message(0)]
