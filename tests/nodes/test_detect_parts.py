"""Things that a whole-body detector finds, each by itself, with what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nodes.detect_parts import DetectParts
from nodes.ops.wholebody import ATTRIBUTES, NAMES
from nodes.types import Parts
from pipeline.cards import load_card
from pipeline.errors import ModelError
from tests import fake_detectors as fake
from tests.helpers import frames, make_node
from tests.repository import ROOT

LABEL = {name: label for label, name in enumerate(NAMES)}
ANNA, HEAD, HAND, KNEE = [0.2, 0.1, 0.4, 0.9], [0.27, 0.1, 0.33, 0.2], [0.2, 0.5, 0.24, 0.55], [0.3, 0.7, 0.32, 0.72]


def row(name: str, box: list[float], score: float) -> list[float]:
    return [LABEL[name], *box, score]


def parts(*rows: list[float], masks: tuple[Any, ...] = (), **config: float) -> Parts:
    """Return the parts made of the model's rows for one frame."""
    node = make_node(DetectParts, session=fake.whole_body_34(lambda _: rows), **config)
    node.open()
    return node.process(frames(1, pictures=True, config={"shop": {"masks": masks}}))


def told(found: Parts) -> list[tuple[str, dict[str, float]]]:
    """Return the name of each part, and what is said of it."""
    return [
        (NAMES[label], {name: round(float(s), 2) for name, s in zip(ATTRIBUTES, said, strict=True) if s})
        for label, said in zip(found.label, found.attribute_scores, strict=True)
    ]


def test_each_thing_is_a_part_and_attributes_are_said_of_it() -> None:
    found = parts(
        row("knee", KNEE, 0.4), row("head", HEAD, 0.9), row("body", ANNA, 0.8), row("hand", HAND, 0.5),
        row("male", ANNA, 0.75), row("adult", ANNA, 0.9), row("left-side", HEAD, 0.8), row("hand_right", HAND, 0.4),
    )  # fmt: skip

    assert told(found) == [
        ("body", {"adult": 0.9, "male": 0.75}),
        ("head", {"left-side": 0.8}),
        ("hand", {"hand_right": 0.4}),
        ("knee", {}),
    ]
    np.testing.assert_array_equal(found.box, np.array([ANNA, HEAD, HAND, KNEE], np.float32))
    assert found.score.tolist() == pytest.approx([0.8, 0.9, 0.5, 0.4])


@pytest.mark.parametrize("label", range(len(NAMES)))
def test_every_class_is_told_of_from_the_limit_of_its_group_on(label: int) -> None:
    """Limits of the demo: things and sides of hands 0.35, joints 0.30, other attributes 0.70."""
    name = NAMES[label]
    joint = 21 <= label <= 25 or 29 <= label <= 32
    attribute = 1 <= label <= 4 or 8 <= label <= 15
    limit = 0.3 if joint else 0.7 if attribute else 0.35
    owners = [row(owner, ANNA, 0.9) for owner in ("body", "head", "hand")]

    def seen(score: float) -> bool:
        found = told(parts(*owners, row(name, HAND if label in (0, 7, 26) else ANNA, score)))
        return len(found) == 4 or any(said for _, said in found)

    assert (seen(limit), seen(limit - 0.01)) == (True, False)


def test_joints_are_one_where_they_overlap_little_and_things_where_they_overlap_much() -> None:
    shifted = [0.31, 0.7, 0.33, 0.72]

    found = parts(
        row("knee", KNEE, 0.9), row("knee", shifted, 0.8), row("ankle", shifted, 0.7),
        row("hand", KNEE, 0.9), row("hand", shifted, 0.8), row("hand", [0.3, 0.7, 0.32, 0.718], 0.7),
    )  # fmt: skip

    assert [name for name, _ in told(found)] == ["hand", "hand", "knee", "ankle"]
    assert len(parts(row("knee", KNEE, 0.9), row("knee", shifted, 0.8), joint_max_iou=0.4)) == 2
    assert len(parts(row("hand", KNEE, 0.9), row("hand", shifted, 0.8), object_max_iou=0.3)) == 1


def test_limits_are_those_of_the_configuration() -> None:
    rows = row("body", ANNA, 0.5), row("male", [0.2, 0.1, 0.4, 0.7], 0.5), row("knee", KNEE, 0.2)

    found = parts(*rows, attribute_min_score=0.5, attribute_min_iou=0.75, joint_min_score=0.2)

    assert told(found) == [("body", {"male": 0.5}), ("knee", {})]
    assert told(parts(*rows, attribute_min_score=0.5, attribute_min_iou=0.76)) == [("body", {})]
    assert told(parts(*rows, object_min_score=0.51)) == []


def test_the_best_parts_are_kept_in_their_order() -> None:
    found = parts(row("body", ANNA, 0.4), row("head", HEAD, 0.9), row("knee", KNEE, 0.5), max_parts=2)

    assert told(found) == [("head", {}), ("knee", {})]


def test_what_lies_under_a_mask_goes() -> None:
    left = ((0.0, 0.0), (0.35, 0.0), (0.35, 1.0), (0.0, 1.0))

    found = parts(row("body", ANNA, 0.9), row("hand", HAND, 0.9), row("head", [0.6, 0.1, 0.7, 0.2], 0.8), masks=(left,))

    assert told(found) == [("head", {})]


def test_a_body_before_a_mask_stays_whole() -> None:
    """Its head decides: a body may well hide a poster."""
    poster = ((0.0, 0.3), (1.0, 0.3), (1.0, 0.7), (0.0, 0.7))

    found = parts(row("body", ANNA, 0.9), row("body_with_crutches", ANNA, 0.9), row("hand", HAND, 0.9), masks=(poster,))

    assert told(found) == [("body", {}), ("body_with_crutches", {})]


def test_faces_bring_heads() -> None:
    node = make_node(DetectParts, session=fake.boxes(lambda _: [[0.4, 0.4, 0.6, 0.6, 0.9]]))
    node.open()

    found = node.process(frames(1, pictures=True))

    assert told(found) == [("head", {}), ("face", {})]


def test_rows_say_which_frame_they_are_of() -> None:
    node = make_node(
        DetectParts, session=fake.whole_body_34(lambda _: [row("head", HEAD, 0.9), row("body", ANNA, 0.9)])
    )
    node.open()

    found = node.process(frames(stream=("shop", "door"), pts_s=(0, 0), pictures=True))

    assert (found.frame_row.tolist(), found.label.tolist()) == ([0, 0, 1, 1], [0, 7, 0, 7])


def test_no_frames_are_no_call_and_nothing_found_is_no_parts() -> None:
    session = fake.whole_body_34(lambda _: [])
    node = make_node(DetectParts, session=session)
    node.open()

    assert (len(node.process(frames(0))), session.calls) == (0, [])
    assert len(node.process(frames(2, pictures=True))) == 0


def test_a_model_of_another_kind_is_refused() -> None:
    session = fake.whole_body_34(lambda _: [], family="gazelle")

    with pytest.raises(ModelError, match=r"^detect_parts\.model: expected a card of a detector \("):
        make_node(DetectParts, session=session).open()


def test_cards_tell_all_classes_of_the_models_they_are_of() -> None:
    """The numbers of both upstream families, by name."""
    for card, classes in (("deimv2-wholebody34-s", fake.WHOLE_BODY), ("yolov9-wholebody25-e", fake.WHOLE_BODY_25)):
        assert load_card(card, ROOT)[0].classes == classes


def test_pictures_are_brought_to_the_size_that_is_set() -> None:
    session = fake.whole_body_34(lambda _: [])
    node = make_node(DetectParts, session=session, input_size_wh=[320, 192])
    node.open()

    node.process(frames(1, pictures=True))

    assert session.calls[0]["input_bgr"].shape[2:] == (192, 320)


def test_faces_are_parts() -> None:
    face = [0.28, 0.12, 0.32, 0.19]

    found = parts(row("head", HEAD, 0.9), row("face", face, 0.5), row("front", HEAD, 0.8))

    assert told(found) == [("head", {"front": 0.8}), ("face", {})]
    assert found.box[1] == pytest.approx(face)
