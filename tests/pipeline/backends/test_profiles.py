"""The shapes that engines are built for."""

from __future__ import annotations

import pytest

from pipeline.backends.profiles import Profile, profile_of

GAZE = {
    "image": (("images", 3, 640, 640), "float32"),
    "boxes": ((1, "heads", 4), "float32"),
    "row": (("heads",), "int64"),
}


def test_free_axes_take_as_many_rows_as_is_sound() -> None:
    shapes = profile_of(GAZE, {}).shapes

    assert shapes["image"] == ((1, 3, 640, 640), (4, 3, 640, 640), (13, 3, 640, 640))  # 64 MiB
    assert shapes["boxes"] == ((1, 1, 4), (1, 4, 4), (1, 32, 4))
    assert shapes["row"] == ((1,), (4,), (32,))


def test_an_axis_of_a_name_has_the_same_extents_in_all_inputs() -> None:
    pair = {"thin": (("N", 2), "float32"), "wide": (("N", 3, 1000, 1000), "float32"), "third": (("N",), "int64")}

    assert {shapes[2][0] for shapes in profile_of(pair, {}).shapes.values()} == {5}


def test_a_row_that_is_too_large_is_taken_alone() -> None:
    assert profile_of({"x": (("N", 3, 4000, 4000), "float32")}, {}).shapes["x"][2][0] == 1


def test_extents_that_are_told_hold() -> None:
    shapes = profile_of(GAZE, {"heads": (2, 8, 100), "images": (1, 1, 40)}).shapes

    assert shapes["boxes"] == ((1, 2, 4), (1, 8, 4), (1, 100, 4))
    assert shapes["image"][2] == (40, 3, 640, 640)


def test_sizes_of_pictures_must_be_told() -> None:
    with pytest.raises(ValueError, match="input 'x': expected one axis of any extent at most, got H, W: nothing tells"):
        profile_of({"x": ((1, 3, "H", "W"), "float32")}, {})
    assert profile_of({"x": ((1, 3, "H", "W"), "float32")}, {"H": (32, 64, 96)}).shapes["x"][2] == (1, 3, 96, 32)


@pytest.mark.parametrize(
    ("shapes", "held"),
    [
        ({"x": (1, 3)}, True),
        ({"x": (8, 3)}, True),
        ({"x": (9, 3)}, False),
        ({"x": (0, 3)}, False),
        ({"x": (1, 4)}, False),
        ({"x": (1, 3, 1)}, False),
        ({}, False),
        ({"x": (1, 3), "row": (1,)}, False),
    ],
)
def test_a_profile_knows_what_it_holds(shapes: dict[str, tuple[int, ...]], held: bool) -> None:
    assert Profile({"x": ((1, 3), (4, 3), (8, 3))}).holds(shapes) is held


def test_words_are_those_of_onnx_runtime() -> None:
    profile = profile_of({"x": (("N", 3), "float32"), "row": (("K",), "int64")}, {"K": (1, 2, 3)})

    assert [profile.words(which) for which in range(3)] == ["x:1x3,row:1", "x:4x3,row:2", "x:32x3,row:3"]
    assert str(profile) == "x:1x3,row:1 to x:32x3,row:3, tuned for x:4x3,row:2"
