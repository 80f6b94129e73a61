from typing import Any

import numpy as np
import pytest

from nodes.ops.canvas import Canvas
from nodes.ops.colours import WHITE, of_track
from nodes.ops.overlay import CROWN, EARS, Person, draw_areas, draw_people, label_areas

AREAS = {"tea": [[(0.1, 0.5), (0.4, 0.5), (0.4, 0.9), (0.1, 0.9)]]}
MIDDLE = (280, 120)  # row and column
NAN = float("nan")


def blank(scale: float = 1.0) -> Canvas:
    return Canvas(np.full((400, 480, 3), 90, np.uint8), scale)


def areas(hit: Any, told: Any) -> np.ndarray:
    canvas = blank(scale=3)
    draw_areas(canvas, AREAS, hit, told)
    return canvas.image


def colours_in(image: np.ndarray) -> set[tuple[int, ...]]:
    return {tuple(colour) for colour in np.unique(image.reshape(-1, 3), axis=0).tolist()}


def test_an_area_nobody_looks_at_has_a_white_outline_and_no_tint() -> None:
    image = areas({}, {3: {"coffee": "1.0 s"}})

    assert image[300, 48].tolist() == list(WHITE)
    assert image[MIDDLE].tolist() == [90, 90, 90]


def test_an_area_takes_the_colour_of_who_looks_visits_before_hits() -> None:
    tea: dict[str, str] = {"tea": ""}

    assert areas({3: tea}, {})[300, 48].tolist() == list(of_track(3))
    assert areas({3: tea}, {5: tea})[300, 48].tolist() == list(of_track(5))
    assert areas({}, {5: tea, 2: tea})[300, 48].tolist() == list(of_track(2))
    assert areas({3: tea}, {})[MIDDLE].tolist() != [90, 90, 90]


def test_the_label_of_an_area_names_its_lookers_in_their_colours() -> None:
    canvas, alone = blank(), blank()

    label_areas(canvas, AREAS, {3: {"tea": "1.0 s"}, 5: {"tea": "0.4 s"}, 6: {"coffee": "1.0 s"}})
    label_areas(alone, AREAS, {})

    assert {of_track(3), of_track(5)} <= colours_in(canvas.image)
    assert of_track(6) not in colours_in(canvas.image)
    assert not {of_track(3), of_track(5)} & colours_in(alone.image)


def test_a_surer_gaze_is_wider_and_more_colourful() -> None:
    rays = []
    for share in (0.0, 1.0):
        canvas = blank(scale=3)
        draw_people(canvas, [Person(2, gaze=((0.1, 0.5), (0.9, 0.5)), gaze_share=share)], {})
        rays.append(canvas.image[:, 240])

    faint, sure = ((ray != 90).any(axis=1).sum() for ray in rays)
    assert faint < sure
    assert of_track(2) in colours_in(rays[1])
    assert of_track(2) not in colours_in(rays[0])


def test_the_arrow_points_where_the_head_does() -> None:
    head = (0.45, 0.45, 0.55, 0.55)
    ends = {}
    for yaw in (0, 90, 180, -90):
        with_arrow, without = blank(), blank()
        draw_people(with_arrow, [Person(1, head=head, pose_deg=(yaw, NAN, NAN))], {})
        draw_people(without, [Person(1, head=head)], {})
        drawn = np.argwhere((with_arrow.image != without.image).any(axis=2)).mean(axis=0) - [200, 240]
        ends[yaw] = tuple(np.sign(np.round(drawn / 10)).astype(int).tolist())  # (down, right)

    assert ends == {0: (1, 0), 90: (0, 1), 180: (-1, 0), -90: (0, -1)}


HEAD = (0.4375, 0.4, 0.5625, 0.6)  # 60 by 80 px about (240, 200)
Line = tuple[Any, tuple[int, int]]


class Lines(Canvas):
    """A canvas that notes the lines that begin in the middle of the head: their colours and where they end, pixels."""

    def __init__(self) -> None:
        super().__init__(np.full((400, 480, 3), 90, np.uint8))
        self.drawn: list[Line] = []

    def path(self, points: Any, colour: Any, width: float = 1.0, closed: bool = False) -> None:
        super().path(points, colour, width, closed)
        x, y = self.px(points[1])
        self.drawn.append((colour, (x - 240, y - 200)))

    def arrow(self, centre: Any, direction: Any, inner_px: float, outer_px: float, colour: Any) -> None:
        super().arrow(centre, direction, inner_px, outer_px, colour)
        self.drawn.append((colour, (round(direction[0] * outer_px), round(direction[1] * outer_px))))


def lines(*pose_deg: float) -> list[Line]:
    canvas = Lines()
    draw_people(canvas, [Person(1, head=HEAD, pose_deg=pose_deg)], {})  # type: ignore[arg-type]
    return canvas.drawn


@pytest.mark.parametrize(
    ("pose_deg", "nose", "crown"),
    [
        ((0, 0, 0), (0, 0), (0, -60)),
        ((90, 0, 0), (88, 0), (0, -60)),
        ((-90, 0, 0), (-88, 0), (0, -60)),
        ((90, 45, 0), (62, -62), (-42, -42)),
        ((-90, -45, 0), (-62, 62), (-42, -42)),
        ((30, 0, 90), (44, 0), (52, 0)),
        ((150, 0, 0), (44, 0), (0, -60)),
        ((180, 0, 90), (0, 0), (-60, 0)),
    ],
)
def test_axes_are_drawn_as_the_camera_sees_them(pose_deg: Any, nose: Any, crown: Any) -> None:
    ends = dict(lines(*pose_deg))

    assert (ends[WHITE], ends[CROWN]) == (nose, crown)


@pytest.mark.parametrize(
    "pose_deg",
    [(30, NAN, NAN), (-135, NAN, NAN), (30, 10, 5), (-60, -30, 20), (170, 20, -10), (0, 0, 40), (90, 0, 90)],
)
def test_a_mirrored_pose_is_drawn_as_the_mirrored_drawing(pose_deg: Any) -> None:
    yaw, pitch, roll = pose_deg

    plain, mirrored = lines(yaw, pitch, roll), lines(-yaw, pitch, -roll)

    assert sorted((colour, (-x, y)) for colour, (x, y) in plain) == sorted(mirrored)
    assert len(plain) == (1 if np.isnan(pitch) else 4)


@pytest.mark.parametrize(
    ("pose_deg", "order"),
    [((20, 10, 0), [EARS, CROWN, EARS, WHITE]), ((160, 10, 0), [WHITE, EARS, CROWN, EARS])],
    ids=["to the camera", "away"],
)
def test_what_of_a_head_is_nearer_is_drawn_last(pose_deg: Any, order: Any) -> None:
    assert [colour for colour, _ in lines(*pose_deg)] == order


def test_a_predicted_person_is_drawn_thinner() -> None:
    inks = []
    for observed in (True, False):
        canvas = Canvas(np.full((1080, 1920, 3), 90, np.uint8))
        draw_people(canvas, [Person(1, body=(0.3, 0.3, 0.6, 0.9), observed=observed)], {})
        inks.append((canvas.image[500:] == of_track(1)).all(axis=2).sum())

    assert 0 < inks[1] < 0.8 * inks[0]


def test_labels_say_more_when_somebody_looks_at_something() -> None:
    def inked(told: dict[int, dict[str, str]]) -> int:
        canvas = blank()
        draw_people(canvas, [Person(1, head=(0.1, 0.5, 0.2, 0.6))], told)
        return int((canvas.image != 90).any(axis=2).sum())

    amounts = [
        inked(told) for told in ({}, {1: {"tea": ""}}, {1: {"tea": "1.0 s"}}, {1: {"tea": "1.0 s", "person:2": ""}})
    ]
    assert amounts == sorted(set(amounts))
