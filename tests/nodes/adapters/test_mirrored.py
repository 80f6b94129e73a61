"""Every other frame is shown in the mirror; what is told of it is told as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodes.adapters.detectors import Detector, open_detector
from nodes.adapters.mirrored import Turns, mirrored_rows
from nodes.ops.detected import Rows
from nodes.ops.wholebody import ATTRIBUTES, BODY, HEAD, NAMES
from pipeline.card_fields import Picture
from pipeline.frames import FrameBatch
from tests import fake_detectors as fake
from tests.helpers import FakeContext, frames
from tests.nodes.adapters.test_detectors import open_limits, told

LEFT, SIZE = [0.125, 0.25, 0.25, 0.75], (64, 32)


def opened(session: Any) -> Detector:
    return open_detector(FakeContext(session=session), "m", "node.model", mirror_every_other=True)


def with_something_at_the_left(count: int, size_wh: tuple[int, int] = SIZE) -> FrameBatch:
    """Return frames whose box `LEFT` is bright."""
    batch = frames(count, pictures=True, size_wh=size_wh)
    w, h = size_wh
    for picture in batch.pictures:
        picture.planes[0][h // 4 : h * 3 // 4, w // 8 : w // 4] = 255
    return batch


def bright(image: np.ndarray) -> list[list[float]]:
    """Return a body about what is bright, and a head there that points to the right of the image."""
    rows, columns = np.nonzero(image[0] > 128)
    h, w = image.shape[1:]
    box = [columns.min() / w, rows.min() / h, (columns.max() + 1) / w, (rows.max() + 1) / h]
    return [[BODY, *box, 0.9], [HEAD, *box, 0.9], [NAMES.index("right-side"), *box, 0.9]]


def test_boxes_lie_where_things_are_and_directions_turn_every_other_time() -> None:
    found = opened(fake.whole_body_34(bright)).find(with_something_at_the_left(3), open_limits())

    assert [told(one) for one in found] == [[("body", LEFT, 0.9), ("head", LEFT, 0.9)]] * 3
    sides = [ATTRIBUTES[one.attribute_scores[1].argmax()] for one in found]
    assert sides == ["right-side", "left-side", "right-side"]


def test_letterboxes_are_mirrored_whole_and_what_is_in_them_turned_back() -> None:
    session = fake.boxes(lambda image: [bright(image)[0][1:]], label="body", picture=Picture(fit="letterbox", fill=0))
    found = opened(session).find(with_something_at_the_left(2, (32, 32)), open_limits())

    plain, mirrored = (call["data"][0] for call in session.calls)
    assert plain[:, :, :32].max() > 128 > plain[:, :, 32:].max()
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    assert [told(one) for one in found] == [[("body", LEFT, 0.9)]] * 2


def test_pictures_in_rows_are_mirrored_along_the_right_axis() -> None:
    session = fake.whole_body_34(lambda _: [])
    session.inputs = {"input_bgr": (("N", 32, 64, 3), "uint8")}

    opened(session).find(with_something_at_the_left(2), open_limits())

    plain, mirrored = (call["input_bgr"][0] for call in session.calls)
    np.testing.assert_array_equal(mirrored, plain[:, ::-1])


def test_streams_take_turns_on_their_own() -> None:
    turns = Turns(every_other=True)

    assert turns.take(frames(3, stream=("a", "b", "a"))).tolist() == [False, False, True]
    assert turns.take(frames(2, stream=("a", "b"), start_s=1)).tolist() == [False, True]
    turns.forget("a")
    assert turns.take(frames(2, stream=("a", "b"), start_s=2)).tolist() == [False, False]
    assert not Turns(every_other=False).take(frames(4)).any()


def test_a_frame_that_comes_again_is_shown_as_before() -> None:
    turns = Turns(every_other=True)
    seen = [turns.take(frames(1, start_s=at))[0] for at in (0, 1, 1, 2)]

    assert seen == [False, True, True, False]


@pytest.mark.parametrize(
    ("name", "other"),
    [("front", "front"), ("right-back", "left-back"), ("hand_left", "hand_right"), ("body", "body")],
)
def test_what_has_sides_has_the_other_in_the_mirror(name: str, other: str) -> None:
    rows = Rows(np.array([NAMES.index(name)]), np.array([LEFT], np.float32), np.ones(1, np.float32))
    seen = mirrored_rows(rows)

    assert NAMES[seen.label[0]] == other
    assert seen.box[0].tolist() == [0.75, 0.25, 0.875, 0.75]
    np.testing.assert_allclose(mirrored_rows(seen).box, rows.box)
