from typing import Any

import numpy as np

from nodes.ops.canvas import Canvas
from nodes.ops.colours import WHITE, of_track
from nodes.ops.overlay import Person, draw_areas, draw_people, label_areas

AREAS = {"tea": [[(0.1, 0.5), (0.4, 0.5), (0.4, 0.9), (0.1, 0.9)]]}
MIDDLE = (280, 120)  # row and column


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
        draw_people(with_arrow, [Person(1, head=head, yaw_deg=yaw)], {})
        draw_people(without, [Person(1, head=head)], {})
        drawn = np.argwhere((with_arrow.image != without.image).any(axis=2)).mean(axis=0) - [200, 240]
        ends[yaw] = tuple(np.sign(np.round(drawn / 10)).astype(int).tolist())  # (down, right)

    assert ends == {0: (1, 0), 90: (0, 1), 180: (-1, 0), -90: (0, -1)}


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
