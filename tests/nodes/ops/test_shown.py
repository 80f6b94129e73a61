import numpy as np

from nodes.ops.shown import Shown


def test_visits_are_told_until_they_end_longest_first() -> None:
    shown = Shown()
    shown.take_up("started", 2, "tea", 900_000_000)
    shown.take_up("started", 1, "coffee", 100_000_000)
    shown.take_up("updated", 1, "coffee", 100_000_000)

    assert list(shown.open_visits(1_000_000_000).items()) == [(1, {"coffee": "0.9 s"}), (2, {"tea": "0.1 s"})]

    shown.take_up("ended", 1, "coffee", 100_000_000)
    shown.take_up("retracted", 9, "never", 0)

    assert shown.open_visits(2_000_000_000) == {2: {"tea": "1.1 s"}}


def test_heads_are_held_for_a_while_where_they_were_last_seen() -> None:
    shown = Shown()
    boxes = np.array([[0.1, 0.1, 0.2, 0.2], [np.nan] * 4], np.float32)

    shown.note_heads(np.array([1, 2]), boxes, 0, 0.5)
    shown.note_heads(np.array([2]), boxes[:1] + 0.5, 400_000_000, 0.5)

    assert sorted(shown.heads) == [1, 2]
    assert (shown.heads[1][1] == boxes[0]).all()

    shown.note_heads(np.empty(0, np.int64), np.empty((0, 4), np.float32), 600_000_000, 0.5)

    assert sorted(shown.heads) == [2]
