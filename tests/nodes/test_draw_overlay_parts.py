"""Drawn on request: parts, bones, words and eyes; everything that can be switched off; what is hidden."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from nodes.draw_overlay import DrawOverlay
from nodes.ops import colours
from nodes.ops.body_drawing import PartBox, draw_parts
from nodes.ops.canvas import Canvas
from nodes.ops.wholebody import ATTRIBUTES, FACE, HAND, NAMES
from nodes.types import (
    Attributes,
    Bones,
    Detections,
    Distances,
    GazeDirections,
    GazeMaps,
    GazePoints,
    HeadPoses,
    TrackedParts,
    Tracks,
)
from pipeline.values import concat
from tests.helpers import make_node, table
from tests.nodes.test_draw_overlay import (
    AREAS,
    BODY,
    HEAD,
    INNER,
    NOISE,
    SOMEBODY,
    UNSEEN,
    blurred,
    clip,
    drawn,
    expected,
    f32,
    opened,
    person,
)


def part(label: int, box: Sequence[float], track_id: int = 3, **attributes: float) -> TrackedParts:
    scores = [[attributes.get(name, 0.0) for name in ATTRIBUTES]]
    return table(
        TrackedParts, frame_row=[0], track_id=[track_id], label=[label], box=[box], score=[0.9], attribute_scores=scores
    )


def test_heads_are_hidden_unless_that_is_turned_off() -> None:
    node: DrawOverlay = make_node(DrawOverlay)
    node.open()

    assert blurred(drawn(node, clip(), person())[0], INNER) > 0.6


def test_faces_alone_are_hidden_on_request() -> None:
    face = part(FACE, INNER)

    (image,) = drawn(opened(blur_faces=True, part_boxes=False), clip(), Tracks.empty(), parts=face)
    (plain,) = drawn(opened(part_boxes=False), clip(), Tracks.empty(), parts=face)

    assert blurred(image, INNER) > 0.6
    assert (plain == NOISE).all()


def test_parts_are_drawn_by_class_hands_with_their_side_and_joints_as_asked() -> None:
    hand, shoulder = [0.2, 0.2, 0.3, 0.3], [0.7, 0.2, 0.72, 0.24]
    parts = concat([part(NAMES.index("shoulder"), shoulder), part(HAND, hand, hand_left=0.8, hand_right=0.1)])
    boxes = [
        PartBox(row, f32(box), f32(scores), 3)
        for row, box, scores in zip(parts.label.tolist(), parts.box, parts.attribute_scores, strict=True)
    ]

    for config, wanted in [
        ({}, {}),
        ({"joints": "both"}, {"joints": "both"}),
        ({"joints": "none", "hands": False}, {"joints": "none", "sides": False}),
        ({"hide_classes": ["hand"]}, {"hidden": ["hand"]}),
    ]:
        canvas = Canvas(NOISE.copy())
        draw_parts(canvas, boxes, **{"hidden": (), "joints": "dot", **wanted})
        (image,) = drawn(opened(**config), clip(), Tracks.empty(), parts=parts)
        assert (image == canvas.image).all(), config
        assert (image != NOISE).any()

    (off,) = drawn(opened(part_boxes=False), clip(), Tracks.empty(), parts=parts)
    assert (off == NOISE).all()


def test_bodies_and_heads_among_the_parts_are_left_to_the_tracks() -> None:
    parts = concat([part(0, BODY), part(7, HEAD)])

    (image,) = drawn(opened(), clip(), Tracks.empty(), parts=parts)

    assert (image == NOISE).all()


def test_a_class_that_does_not_exist_cannot_be_hidden() -> None:
    with pytest.raises(ValueError, match=r"expected classes among body, adult, .*, got 'hnd'"):
        opened(hide_classes=["hnd"])


def test_bones_take_the_colour_of_their_person_and_can_be_switched_off() -> None:
    bones = table(
        Bones,
        frame_row=[0, 0],
        track_id=[2, 3],
        labels=[[21, 22], [22, 24]],
        points=[[[0.1, 0.1], [0.2, 0.2]], [[0.6, 0.6], [0.8, 0.5]]],
        score=[0.5, 0.5],
    )
    canvas = Canvas(NOISE.copy())
    canvas.path([(0.1, 0.1), (0.2, 0.2)], colours.of_track(2), 0.6)
    canvas.path([(0.6, 0.6), (0.8, 0.5)], colours.of_track(3), 0.6)

    (on,) = drawn(opened(), clip(), Tracks.empty(), bones=bones)
    (off,) = drawn(opened(skeleton=False), clip(), Tracks.empty(), bones=bones)

    assert (on == canvas.image).all()
    assert (off == NOISE).all()


def test_what_is_known_of_a_person_is_written_where_it_is_sure() -> None:
    attributes = table(
        Attributes,
        frame_row=[0],
        track_id=[3],
        child_prob=[0.9],
        female_prob=[0.3],
        wheelchair_prob=[0.7],
        crutches_prob=[np.nan],
    )
    distances = table(Distances, frame_row=[0], track_id=[3], distance_m=[3.24], point_m=[[0, 0, 3.24]])
    both = {"attributes": attributes, "distances": distances}

    (all_of_it,) = drawn(opened(), clip(), person(), **both)
    (distance,) = drawn(opened(attributes=False), clip(), person(), **both)
    (nothing,) = drawn(opened(attributes=False, distance=False), clip(), person(), **both)

    assert (all_of_it == expected([replace(SOMEBODY, words=("child", "male", "wheelchair", "3.2 m"))])).all()
    assert (distance == expected([replace(SOMEBODY, words=("3.2 m",))])).all()
    assert (nothing == expected([SOMEBODY])).all()


def test_where_eyes_look_is_drawn_as_an_arrow() -> None:
    directions = table(GazeDirections, frame_row=[0], track_id=[3], yaw_pitch_deg=[[40, -10]], score=[1])

    (image,) = drawn(opened(), clip(), person(), directions=directions)
    (off,) = drawn(opened(eye_directions=False), clip(), person(), directions=directions)

    assert (image == expected([replace(SOMEBODY, eyes_deg=(40.0, -10.0))])).all()
    assert (off == expected([SOMEBODY])).all()


def test_boxes_numbers_rays_and_areas_can_be_switched_off() -> None:
    poses = table(HeadPoses, frame_row=[0], track_id=[3], yaw_pitch_roll_deg=[[90, 10, -20]])
    points = table(
        GazePoints, frame_row=[0], track_id=[3], head_point=[[0.45, 0.375]], point=[[0.75, 0.25]], in_frame_prob=[1]
    )
    off = dict.fromkeys(("boxes", "ids", "rays", "head_poses", "areas"), False)

    (image,) = drawn(opened(**off), clip(areas=AREAS), person(), poses, points)
    (numbers,) = drawn(opened(**{**off, "ids": True}), clip(areas=AREAS), person(), poses, points)

    assert (image == NOISE).all()
    assert (numbers == expected([replace(SOMEBODY, outlined=False)])).all()


def test_lines_are_as_wide_as_asked() -> None:
    (wide,), (usual,) = (drawn(opened(line_width=width), clip(), person()) for width in (8, 1))

    assert (wide != NOISE).sum() > 1.5 * (usual != NOISE).sum()


def test_the_heat_covers_as_much_as_asked() -> None:
    maps = table(
        GazeMaps,
        frame_row=[0],
        track_id=[3],
        head_box=[HEAD],
        heatmap=np.ones((1, 8, 8), np.float32),
        in_frame_prob=[1],
    )

    changes = [
        np.abs(drawn(opened(heat_map=True, heat_alpha=alpha), clip(), Tracks.empty(), gaze=maps)[0] - NOISE.astype(int))
        for alpha in (0.0, 0.35, 1.0)
    ]

    assert changes[0].max() <= 1
    assert changes[1].mean() < 0.5 * changes[2].mean()


def test_heads_are_hidden_on_request_and_bodies_are_not() -> None:
    (image,) = drawn(opened(blur_heads=True), clip(), person())
    (plain,) = drawn(opened(), clip(), person())

    assert blurred(image, INNER) > 0.6
    assert blurred(plain, INNER) < 0.1
    assert blurred(image, [0.38, 0.6, 0.52, 0.85]) < 0.1


def test_a_head_that_is_lost_stays_hidden_for_a_while() -> None:
    node = opened(blur_heads=True, blur_hold_s=0.2)

    images = drawn(node, clip(4), person([0]))

    assert [blurred(image, INNER) > 0.6 for image in images] == [True, True, True, False]


def test_the_head_of_a_body_without_one_is_hidden() -> None:
    (image,) = drawn(opened(blur_heads=True), clip(), person(head_box=[UNSEEN], observed=[False]))

    assert blurred(image, [0.41, 0.36, 0.49, 0.43]) > 0.6


def test_heads_without_a_track_are_hidden() -> None:
    people = table(Detections, frame_row=[0], head_box=[[0.7, 0.5, 0.8, 0.65]])

    (image,) = drawn(opened(blur_heads=True), clip(), Tracks.empty(), people=people)

    assert blurred(image, [0.72, 0.53, 0.78, 0.62]) > 0.6


def test_hidden_heads_are_forgotten_with_their_stream() -> None:
    node = opened(blur_heads=True)
    node.process(clip(), person())

    node.stream_ended("shop")
    (image,) = drawn(node, clip(), Tracks.empty())

    assert (image == NOISE).all()
