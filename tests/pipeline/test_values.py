"""Values: what they accept, what they refuse in which words, and how they are counted, joined and compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pipeline.values import Value, attached, column, columns, concat, equal, items, names, nbytes


@dataclass(frozen=True, eq=False)
class Boxes(Value):
    frame_row: np.ndarray = column(np.int64)
    box: np.ndarray = column(np.float32, 4)


@dataclass(frozen=True, eq=False)
class Maps(Value):
    score: np.ndarray = column(np.float32)
    heatmap: np.ndarray = column(np.float32, None, None)


@dataclass(frozen=True, eq=False)
class Labels(Value):
    label: tuple[str, ...] = names()
    score: np.ndarray = column(np.float32)
    seen_by: Any = attached(None)


class Kept(np.ndarray):
    """An array of another library's kind, which holds the same."""


def boxes(rows: int = 2) -> dict[str, Any]:
    return {"frame_row": np.arange(rows), "box": np.zeros((rows, 4), np.float32)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frame_row": np.zeros(2, np.int32)}, "Boxes.frame_row: expected an array of int64, got int32"),
        ({"frame_row": np.zeros(2)}, "Boxes.frame_row: expected an array of int64, got float64"),
        ({"frame_row": [0, 1]}, "Boxes.frame_row: expected an array of int64, got list"),
        ({"frame_row": None}, "Boxes.frame_row: expected an array of int64, got NoneType"),
        ({"box": np.zeros((2, 4))}, "Boxes.box: expected an array of float32, got float64"),
        ({"box": np.zeros((2, 4), ">f4")}, "Boxes.box: expected an array of float32, got >f4"),
        ({"box": np.zeros((2, 3), np.float32)}, "Boxes.box: expected shape (N, 4), got (2, 3)"),
        ({"box": np.zeros(2, np.float32)}, "Boxes.box: expected shape (N, 4), got (2,)"),
        ({"box": np.zeros((2, 4, 1), np.float32)}, "Boxes.box: expected shape (N, 4), got (2, 4, 1)"),
        ({"frame_row": np.zeros((2, 1), np.int64)}, "Boxes.frame_row: expected shape (N), got (2, 1)"),
        ({"box": np.zeros((3, 4), np.float32)}, "Boxes.box: expected 2 rows to match frame_row, got 3"),
        ({"frame_row": np.zeros(0, np.int64)}, "Boxes.box: expected 0 rows to match frame_row, got 2"),
    ],
)
def test_a_column_that_is_not_as_declared_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Boxes(**{**boxes(), **change})


@pytest.mark.parametrize("hw", [(8, 8), (1, 20), (0, 0)])
def test_free_extents_may_be_any(hw: tuple[int, int]) -> None:
    assert len(Maps(np.zeros(3, np.float32), np.zeros((3, *hw), np.float32))) == 3


@pytest.mark.parametrize("shape", [(3,), (3, 8), (3, 8, 8, 1)])
def test_how_many_extents_there_are_is_not_free(shape: tuple[int, ...]) -> None:
    message = f"Maps.heatmap: expected shape (N, ?, ?), got {shape}"

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Maps(np.zeros(3, np.float32), np.zeros(shape, np.float32))


def test_columns_with_free_extents_are_checked_for_the_rest() -> None:
    with pytest.raises(ValueError, match=r"^Maps\.heatmap: expected an array of float32, got float64$"):
        Maps(np.zeros(3, np.float32), np.zeros((3, 8, 8)))
    with pytest.raises(ValueError, match=r"^Maps\.heatmap: expected 3 rows to match score, got 2$"):
        Maps(np.zeros(3, np.float32), np.zeros((2, 8, 8), np.float32))


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (["a", "b"], "Labels.label: expected a tuple of str, got list"),
        (np.array(["a", "b"]), "Labels.label: expected a tuple of str, got ndarray"),
        (("a",), "Labels.score: expected 1 rows to match label, got 2"),
    ],
)
def test_names_are_a_tuple_with_one_for_each_row(label: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Labels(label, np.zeros(2, np.float32))


def test_arrays_of_any_kind_will_do_when_they_hold_what_is_declared() -> None:
    """Views, strides, and arrays of another class; the dtype must be the same, not the same object."""
    every_other = np.zeros((4, 8), np.float32)[::2, ::2]
    same = np.dtype(np.float32, metadata={"unit": "px"})

    assert len(Boxes(np.zeros(2, np.int64), every_other)) == 2
    assert len(Boxes(np.zeros(2, np.int64), np.zeros((2, 4), np.float32).view(Kept))) == 2
    assert len(Boxes(np.zeros(2, np.int64), np.zeros((2, 4), same))) == 2
    assert len(Boxes(np.zeros(2, np.int64), np.zeros((2, 4), "=f4"))) == 2


def test_arrays_of_another_class_are_checked_all_the_same() -> None:
    with pytest.raises(ValueError, match=r"^Boxes\.box: expected shape \(N, 4\), got \(2, 3\)$"):
        Boxes(np.zeros(2, np.int64), np.zeros((2, 3), np.float32).view(Kept))


def test_each_kind_is_checked_by_its_own_columns() -> None:
    """Also one that was declared with the name of another."""

    @dataclass(frozen=True, eq=False)
    class Boxes(Value):
        frame_row: np.ndarray = column(np.int64)
        box: np.ndarray = column(np.float32, 3)

    assert len(Boxes(np.zeros(1, np.int64), np.zeros((1, 3), np.float32))) == 1
    assert len(globals()["Boxes"](**boxes())) == 2
    with pytest.raises(ValueError, match=r"^Boxes\.box: expected shape \(N, 3\), got \(1, 4\)$"):
        Boxes(np.zeros(1, np.int64), np.zeros((1, 4), np.float32))


@pytest.mark.parametrize("kind", [Boxes, Maps, Labels])
def test_the_empty_table_is_as_declared(kind: type[Value]) -> None:
    empty = kind.empty()

    assert (len(empty), repr(empty)) == (0, f"{kind.__name__}(0 rows)")
    assert equal(concat([empty, empty]), empty)


def test_rows_are_taken_by_index_and_by_mask() -> None:
    value = Labels(("a", "b", "c"), np.array([1, 2, 3], np.float32), seen_by="somebody")

    by_index, by_mask = value.take([2, 0]), value.take(np.array([True, False, True]))

    assert (by_index.label, by_index.score.tolist()) == (("c", "a"), [3, 1])
    assert (by_mask.label, by_mask.score.tolist()) == (("a", "c"), [1, 3])
    assert by_index.seen_by == by_mask.seen_by == "somebody"


def test_tables_are_joined_and_those_without_rows_do_not_count() -> None:
    some = Maps(np.ones(2, np.float32), np.ones((2, 3, 4), np.float32))

    joined = concat([Maps.empty(), some, Maps.empty(), some])

    assert joined.heatmap.shape == (4, 3, 4)
    assert concat([Maps.empty(), some]) is some


def test_values_are_equal_bit_for_bit() -> None:
    nan = np.full((2, 4), np.nan, np.float32)
    value, same = (Boxes(np.arange(2), nan.copy()) for _ in range(2))

    assert equal(value, same)
    assert not equal(value, Boxes(np.arange(2), np.zeros((2, 4), np.float32)))
    assert not equal(value, value.take([0]))
    assert not equal(Labels(("a",), np.zeros(1, np.float32)), Labels(("b",), np.zeros(1, np.float32)))
    assert equal(Labels(("a",), np.zeros(1, np.float32), 1), Labels(("a",), np.zeros(1, np.float32), 2))
    assert not equal(Boxes.empty(), Maps.empty())


def test_what_is_attached_is_no_column_and_weighs_nothing() -> None:
    value = Labels(("tea", "é"), np.zeros(2, np.float32), seen_by=np.zeros(1000))

    assert [spec.name for spec in columns(Labels)] == [name for name, _ in items(value)] == ["label", "score"]
    assert nbytes(value) == len(b"tea") + 2 + 2 * 4
