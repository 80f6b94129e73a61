"""Detectors of every family tell the same things in the same form, and files that are none are refused."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pytest

from nodes.adapters.detectors import Detector, Found, open_detector
from nodes.ops.detected import Limits
from nodes.ops.wholebody import ATTRIBUTES, BODY, FACE, HEAD, NAMES
from pipeline.card_fields import FaceToHead
from tests import fake_detectors as fake
from tests.helpers import FakeContext, frames

ANNA, HEAD_BOX = [0.25, 0.25, 0.5, 0.75], [0.3125, 0.25, 0.4375, 0.5]
JOINT = NAMES.index("knee")


def opened(session: Any, device: Any = None) -> Detector:
    return open_detector(FakeContext(session=session, device=device), "m", "node.model")


def open_limits(min_score: float = 0.3) -> Limits:
    limits = Limits.closed(0.7)
    limits.min_score[:] = min_score
    return limits


def found(session: Any, limits: Limits | None = None, size_wh: tuple[int, int] = (640, 320)) -> Found:
    """Return what a detector finds in a black frame."""
    (one,) = opened(session).find(frames(1, pictures=True, size_wh=size_wh), limits or open_limits())
    return one


def told(one: Found) -> list[tuple[str, list[float], float]]:
    """Return the names, boxes and scores of what was found, rounded."""
    return [
        (NAMES[label], np.round(box.astype(float), 4).tolist(), round(float(score), 3))
        for label, box, score in zip(one.label, one.box, one.score, strict=True)
    ]


def test_rows_of_whole_body_34_are_kept_within_the_frame() -> None:
    """The example of upstream's own decoding, in pixels of 1920 × 1080."""
    row = [HEAD, -0.01, 0.2, 0.05, 1.02, 0.9]

    one = found(fake.whole_body_34(lambda _: [row]), size_wh=(1920, 1080))

    assert (one.box * [1920, 1080, 1920, 1080]).astype(int).tolist() == [[0, 216, 96, 1080]]
    assert (one.label.tolist(), one.score.tolist()) == ([HEAD], [np.float32(0.9)])


def test_labels_that_no_class_has_are_dropped() -> None:
    """Files have a slot more than they have classes."""
    wrong = [[34, *ANNA, 0.9], [-1, *ANNA, 0.9], [99, *ANNA, 0.9], [np.nan, *ANNA, 0.9], [np.inf, *ANNA, 0.9]]

    assert told(found(fake.whole_body_34(lambda _: [*wrong, [JOINT, *ANNA, 0.5]]))) == [("knee", ANNA, 0.5)]


@pytest.mark.parametrize(
    "bad", [[np.nan, 0.1, 0.2, 0.3, 0.9], [0.1, 0.1, 0.2, 0.3, np.nan], [0.1, 0.1, np.inf, 0.3, 0.9]]
)
def test_rows_with_numbers_that_are_none_are_dropped(bad: list[float]) -> None:
    assert told(found(fake.whole_body_34(lambda _: [[BODY, *bad]]))) == []


def test_attributes_are_not_things_but_what_is_said_of_them() -> None:
    rows = [[4, *ANNA, 0.8], [BODY, *ANNA, 0.9], [12, *HEAD_BOX, 0.7], [HEAD, *HEAD_BOX, 0.9], [27, *ANNA, 0.9]]

    one = found(fake.whole_body_34(lambda _: rows))

    assert [name for name, _, _ in told(one)] == ["body", "head"]
    assert one.attribute_scores[0, ATTRIBUTES.index("female")] == np.float32(0.8)
    assert one.attribute_scores[1, ATTRIBUTES.index("back")] == np.float32(0.7)
    assert (one.attribute_scores > 0).sum() == 2


def test_attributes_have_limits_of_their_own() -> None:
    limits = open_limits(0.3)
    limits.min_score[NAMES.index("male")] = 0.7
    rows = [[BODY, *ANNA, 0.9], [3, *ANNA, 0.69], [1, *ANNA, 0.4]]

    one = found(fake.whole_body_34(lambda _: rows), limits)

    assert one.attribute_scores[0, :4].tolist() == [np.float32(0.4), 0, 0, 0]


def test_files_with_other_classes_go_by_their_card_and_what_we_do_not_know_is_said_once(caplog: Any) -> None:
    classes = {0: "body", 1: "glasses", 2: "head", 3: "right_front", 4: "mobile-phone"}
    session = fake.whole_body_34(lambda _: [[k, *ANNA, 0.9] for k in range(5)], classes=classes)

    with caplog.at_level(logging.WARNING):
        detector = opened(session)
        ((one,), (again,)) = [detector.find(frames(1, pictures=True), open_limits()) for _ in range(2)]

    assert [name for name, _, _ in told(one)] == [name for name, _, _ in told(again)] == ["body", "head"]
    assert one.attribute_scores[1, ATTRIBUTES.index("right-front")] == np.float32(0.9)
    assert [record.getMessage() for record in caplog.records] == [
        "model m: classes that nothing here knows are left out: glasses, mobile-phone"
    ]


def test_rows_of_whole_body_25_are_pixels_and_have_other_numbers() -> None:
    session = fake.whole_body_25(lambda _: [[0, 0.9, 16, 8, 32, 24], [21, 0.8, 0, 0, 8, 8], [23, 0.7, 0, 0, 8, 8]])

    one = found(session)

    assert told(one) == [("body", ANNA, 0.9), ("hand", [0, 0, 0.125, 0.25], 0.8)]
    assert one.attribute_scores[1, ATTRIBUTES.index("hand_right")] == np.float32(0.7)


def test_rows_of_whole_body_25_go_to_their_pictures() -> None:
    """Of a file that takes several pictures at a time, the first column says which."""
    session = fake.whole_body_25(lambda image: [[0, image.max() / 100, 16, 8, 32, 24]], batch="N")
    batch = frames(2, pictures=True)
    batch.pictures[1].planes[0][:] = 50

    first, second = opened(session).find(batch, open_limits())

    assert (told(first), told(second)) == ([], [("body", ANNA, 0.5)])


def test_cells_of_yolox_become_bodies_of_the_frame() -> None:
    """A square frame fills the left half of the input; the cell is the second of the second row of 16 pixels."""
    cell = [37, 0.0, 0.0, np.log(0.5), np.log(1.0), 0.9, 0.8, 0.9, 0.9]

    one = found(fake.yolox(lambda _: [cell]), size_wh=(64, 64))

    assert told(one) == [("body", [12 / 32, 8 / 32, 20 / 32, 24 / 32], 0.72)]


def test_doubled_cells_of_yolox_are_one() -> None:
    cells = [[33, 0.5, 0.5, 0, 0, 0.9, 0.9, 0, 0], [32, 1.5, 0.5, 0, 0, 0.9, 0.8, 0, 0]]

    assert [score for _, _, score in told(found(fake.yolox(lambda _: cells)))] == [0.81]


def test_yolox_sees_a_letterbox_of_grey() -> None:
    session = fake.yolox(lambda _: [])

    found(session, size_wh=(64, 64))

    (call,) = session.calls
    assert (call["images"][0, :, :, :32] == 0).all()
    assert (call["images"][0, :, :, 32:] == 114).all()


def test_decoded_boxes_lose_their_doubles() -> None:
    rows = [[*ANNA, 0.8], [0.25, 0.25, 0.5, 0.7, 0.9], [0.6, 0.2, 0.7, 0.4, 0.35], [0.8, 0.2, 0.9, 0.4, 0.2]]

    one = found(fake.boxes(lambda _: rows, "body"))

    assert told(one) == [("body", [0.25, 0.25, 0.5, 0.7], 0.9), ("body", [0.6, 0.2, 0.7, 0.4], 0.35)]


def test_a_face_tells_of_a_head() -> None:
    session = fake.boxes(lambda _: [[0.4, 0.4, 0.6, 0.6, 0.9]], face_to_head=FaceToHead(width=1.5, height=2, up=0.5))

    assert told(found(session)) == [("head", [0.35, 0.2, 0.65, 0.6], 0.9), ("face", [0.4, 0.4, 0.6, 0.6], 0.9)]
    assert opened(session).labels == (HEAD, FACE)


def test_a_face_that_only_counts_as_a_head_is_a_head() -> None:
    limits = Limits.closed(0.7)
    limits.min_score[HEAD] = 0.3

    one = found(fake.boxes(lambda _: [[0.4, 0.4, 0.6, 0.6, 0.4]]), limits)

    assert told(one) == [("head", [0.365, 0.335, 0.635, 0.605], 0.4)]


def test_heads_of_faces_at_the_edge_end_there() -> None:
    one = found(fake.boxes(lambda _: [[-0.1, 0.0, 0.1, 0.2, 0.9]]))

    assert told(one) == [("head", [0, 0, 0.135, 0.205], 0.9), ("face", [0, 0, 0.1, 0.2], 0.9)]


@pytest.mark.parametrize(("batch", "free"), [(1, False), ("batch", True)])
def test_cells_of_yunet_become_faces(batch: Any, free: bool) -> None:
    """In the second column of the second row of cells of 8 pixels, and in the second cell of 32."""
    cells = [[9, 0.9, 0.4, 0.5, 0.5, np.log(2), 0.0], [41, 4.0, 0.25, 0.0, 0.5, 0.0, 0.0]]
    limits = open_limits(0.45)
    limits.min_score[HEAD] = np.inf

    one = found(fake.yunet(lambda _: cells, batch, free), limits)

    assert told(one) == [("face", [4 / 64, 8 / 32, 20 / 64, 16 / 32], 0.6), ("face", [0.25, 0, 0.75, 1], 0.5)]


@pytest.mark.parametrize("outputs", [6, 9, 10, 15])
@pytest.mark.parametrize("batched", [True, False])
def test_anchors_of_scrfd_become_faces(outputs: int, batched: bool) -> None:
    each = 2 if outputs in (6, 9) else 1
    rows = [[16, 5 * each, 0.9, 0.5, 0.25, 0.5, 0.75], [8, 0, 0.4, -1, -1, 2, 2], [32, 0, 0.2, 0, 0, 1, 1]]
    limits = open_limits()
    limits.min_score[HEAD] = np.inf

    one = found(fake.scrfd(lambda _: rows, outputs, batched), limits)

    assert told(one) == [
        ("face", [8 / 64, 12 / 32, 24 / 64, 28 / 32], 0.9),
        ("face", [8 / 64, 8 / 32, 16 / 64, 0.5], 0.4),
    ]


def test_doubled_anchors_of_scrfd_are_one() -> None:
    """Two anchors of a cell, whose boxes share half of what they cover."""
    rows = [[8, 0, 0.9, 0, 0, 3, 3], [8, 1, 0.8, 0, 0, 3, 1.5], [8, 2, 0.7, -1, 0, 3, 1]]
    limits = open_limits()
    limits.min_score[HEAD] = np.inf

    assert [score for _, _, score in told(found(fake.scrfd(lambda _: rows), limits))] == [0.9, 0.7]


@pytest.mark.parametrize(
    "make",
    [
        lambda **card: fake.whole_body_34(lambda _: [], **card),
        lambda **card: fake.whole_body_25(lambda _: [], **card),
        lambda **card: fake.yolox(lambda _: [], **card),
        lambda **card: fake.boxes(lambda _: [], **card),
        lambda **card: fake.yunet(lambda _: [], **card),
        lambda **card: fake.scrfd(lambda _: [], **card),
    ],
    ids=["wholebody34", "wholebody25", "yolox", "boxes", "yunet", "scrfd"],
)
def test_nothing_is_found_in_nothing_and_no_frames_are_no_call(make: Any) -> None:
    session = make()

    assert told(found(session)) == []
    assert opened(session).find(frames(0), open_limits()) == []
    assert len(session.calls) == 1
