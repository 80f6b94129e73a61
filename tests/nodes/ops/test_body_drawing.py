import numpy as np

from nodes.ops import colours
from nodes.ops.body_drawing import PartBox, draw_bones, draw_parts
from nodes.ops.canvas import Canvas
from nodes.ops.wholebody import NAMES

SHOULDER, NOSE = NAMES.index("shoulder"), NAMES.index("nose")
NO_ATTRIBUTES = (0.0,) * 14


def canvas() -> Canvas:
    return Canvas(np.full((200, 200, 3), 77, np.uint8))


def test_a_joint_is_a_dot_in_the_middle_of_its_box() -> None:
    one = canvas()

    draw_parts(one, [PartBox(SHOULDER, (0.4, 0.4, 0.6, 0.6), NO_ATTRIBUTES)], (), "dot")

    assert tuple(one.image[100, 100]) == colours.of_track(SHOULDER)
    assert (one.image[82, 82] == 77).all()  # no box


def test_a_thing_is_a_box_in_the_colour_of_its_class() -> None:
    one = canvas()

    draw_parts(one, [PartBox(NOSE, (0.2, 0.2, 0.8, 0.8), NO_ATTRIBUTES)], (), "none")

    assert tuple(one.image[40, 100]) == colours.of_track(NOSE)
    assert (one.image[100, 100] == 77).all()


def test_bones_are_lines_in_the_colour_of_their_person() -> None:
    one = canvas()

    draw_bones(one, [4], np.array([[[0.1, 0.5], [0.9, 0.5]]]))

    # Smooth lines are mixed with their edge.
    assert np.abs(one.image[100, 100].astype(int) - colours.of_track(4)).max() < 20
