"""Filters of gaze points against truth written by hand, and one short clip through the graph."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import smoothing
from benchmarks.smoothing import choices, compared, filtered, main, with_peers
from benchmarks.smoothing_tally import Course, SmoothingTally, Truth, shifts_of

FPS = 10.0
LEFT, RIGHT = (0.2, 0.5), (0.8, 0.5)


def truth(*targets: tuple[float, float] | None) -> Truth:
    """Return a person who looks at a target of the frame, or at none, in frames 0.1 s apart."""
    known = [target or (math.nan, math.nan) for target in targets]
    return Truth(np.arange(len(targets)) / FPS, np.array(known), np.array([target is not None for target in targets]))


def course(of: Truth, points: object, prob: float | list[float] = 0.9, first: int = 0) -> Course:
    """Return a track with the same points unfiltered and as ours."""
    places = np.array(points, np.float64)
    chance = np.broadcast_to(np.array(prob), len(places))
    frame = np.arange(first, first + len(places))
    return Course(of, frame, {"none": places, "ours": places}, {"none": chance, "ours": chance})


def figures(*courses: Course, name: str = "none") -> dict[str, float | None]:
    tally = SmoothingTally()
    for one in courses:
        tally.add(one)
    return tally.figures(name)


def test_a_person_is_at_rest_once_the_target_has_kept_its_place() -> None:
    of = truth(LEFT, LEFT, LEFT, LEFT, (0.2, 0.505), RIGHT, RIGHT, RIGHT, RIGHT, None, RIGHT)

    assert np.flatnonzero(of.at_rest()).tolist() == [3, 4, 8]
    assert of.rests() == [(0, 4), (5, 8)]


def test_a_target_that_creeps_is_at_rest_while_it_stays_near_where_it_is() -> None:
    of = truth(*[(0.2 + 0.004 * k, 0.5) for k in range(8)])

    assert not of.at_rest().any()
    assert of.rests() == []


def test_the_error_is_the_mean_distance_of_those_who_look_into_the_frame() -> None:
    of = truth(LEFT, LEFT, None, LEFT)

    assert figures(course(of, [(0.2, 0.5), (0.5, 0.9), (0.9, 0.9), (0.2, 0.6)]))["l2"] == pytest.approx(0.2)


def test_jitter_counts_steps_at_rest_between_frames_in_a_row() -> None:
    of = truth(*[LEFT] * 6)
    x = [0.9, 0.1, 0.5, 0.2, 0.23, 0.27]

    one = course(of, [(at, 0.5) for at in x])
    gap = Course(of, np.array([3, 5]), *({"none": values[[3, 5]]} for values in (one.points["none"], np.ones(6))))

    assert figures(one)["jitter"] == pytest.approx(np.sqrt((0.03**2 + 0.04**2) / 2), abs=1e-5)
    assert figures(gap)["jitter"] is None


def test_the_lag_is_behind_the_unfiltered_point_and_measured_between_frames() -> None:
    of = truth(*[LEFT] * 5, None, *[RIGHT] * 6)
    raw = [LEFT] * 5 + [(0.6, 0.5)] + [RIGHT] * 6
    late = [LEFT] * 6 + [(0.4, 0.5), (0.8, 0.5)] + [RIGHT] * 4
    one = course(of, raw).with_filter("ours", np.array(late), np.ones(12))
    tally = SmoothingTally()
    tally.add(one)

    assert tally.figures("none")["lag_ms"] == 0
    assert tally.figures("ours")["lag_ms"] == pytest.approx(150)  # half way at 0.625 s, the unfiltered one at 0.475 s
    assert tally.details()["shifts"] == 1
    assert tally.details()["after_arrival_ms"] == {"none": -125.0, "ours": 25.0}


def test_a_point_that_never_goes_is_endlessly_late() -> None:
    of = truth(*[LEFT] * 5, *[RIGHT] * 6)
    one = course(of, [LEFT] * 5 + [RIGHT] * 6).with_filter("ours", np.array([LEFT] * 11), np.ones(11))

    assert figures(one, name="ours")["lag_ms"] == math.inf


@pytest.mark.parametrize(
    ("of", "points"),
    [
        (truth(*[LEFT] * 5, *[(0.3, 0.5)] * 6), [LEFT] * 5 + [(0.3, 0.5)] * 6),
        (truth(*[LEFT] * 3, *[RIGHT] * 6), [LEFT] * 3 + [RIGHT] * 6),
        (truth(*[LEFT] * 5, *[None] * 11, *[RIGHT] * 6), [LEFT] * 5 + [RIGHT] * 17),
        (truth(*[LEFT] * 5, *[RIGHT] * 6), [LEFT] * 5 + [(0.25, 0.5)] * 6),
        (truth(*[LEFT] * 5, *[RIGHT] * 6), [RIGHT] * 5 + [LEFT] * 6),
        (truth(*[LEFT] * 5, *[RIGHT] * 6), [LEFT] * 5 + [RIGHT] * 3),
    ],
    ids=["near", "no rest", "too long ago", "seen to go hardly", "seen to go back", "lost"],
)
def test_shifts_that_do_not_count(of: Truth, points: list[tuple[float, float]]) -> None:
    assert list(shifts_of(course(of, points))) == []


def test_looking_into_the_frame_is_what_is_found() -> None:
    of = truth(LEFT, LEFT, None, None, LEFT)

    assert figures(course(of, [LEFT] * 5, [0.9, 0.4, 0.1, 0.5, 0.6]))["inout_f1"] == pytest.approx(2 * 2 / 6, abs=1e-4)


def test_nothing_to_measure_gives_no_figures() -> None:
    assert SmoothingTally().figures("none") == {"l2": None, "jitter": None, "lag_ms": None, "inout_f1": None}
    assert compared(SmoothingTally())["better_than_one_euro"] == 0


def wandering() -> Course:
    rng = np.random.default_rng(0)
    targets = [LEFT] * 30 + [RIGHT] * 60
    return course(truth(*targets), np.array(targets) + rng.normal(0, 0.03, (90, 2)))


def test_ours_is_held_against_the_others() -> None:
    one = with_peers(wandering())
    tally = SmoothingTally()
    tally.add(one.with_filter("ours", np.array([LEFT] * 30 + [RIGHT] * 60), np.ones(90)))

    found = compared(tally)

    assert (found["l2_down"], found["jitter_down"], found["ours.l2"]) == (1, 1, 0)
    assert found["better_than_one_euro"] == 3
    assert found["ema.jitter"] < found["none.jitter"]


def test_peers_get_the_unfiltered_points() -> None:
    one = wandering()

    made = filtered(one, "twice", lambda values, at_s, by: values * by, (2.0,), (0.5,))

    assert made.points["twice"] == pytest.approx(one.points["none"] * 2)
    assert made.in_frame_prob["twice"] == pytest.approx(np.full(90, 0.45))


def test_values_of_peers_are_chosen_among_those_that_are_calm_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has the smallest error, the last is the calmest."""
    monkeypatch.setattr(smoothing, "TAUS_S", [(0.001,), (0.5,), (5.0,)])
    monkeypatch.setattr(smoothing, "EUROS", [(0.3, 0.5, 1.0)])
    monkeypatch.setattr(smoothing, "MOST_LAG_MS", 1000)

    lines = list(choices([wandering()]))

    assert lines[0].startswith("ema: point (0.5,): ")
    assert lines[1].startswith("one_euro: point (0.3, 0.5, 1.0): ")


def test_nothing_is_chosen_on_clips_without_shifts() -> None:
    with pytest.raises(ValueError) as error:
        list(choices([course(truth(*[LEFT] * 9), [LEFT] * 9)]))

    assert str(error.value) == (
        "smoothing: expected clips with rests and shifts of the gaze to choose on, got none; take more"
    )


def test_a_short_clip_gives_every_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoothing, "measure_schedule", lambda *_: {"calls_ratio": 0.4, "visits_f1_loss": 0.0})

    assert main(["--seeds", "9001", "--seconds", "0.4", "--out", str(tmp_path)]) == 0

    found = json.loads((tmp_path / "smoothing.json").read_text())
    for name in ("none", "ema", "one_euro", "ours"):
        assert list(found[name]) == ["l2", "jitter", "lag_ms", "inout_f1"]
        assert 0 <= found[name]["l2"] <= 1
    assert found["schedule"] == {"calls_ratio": 0.4, "visits_f1_loss": 0.0}
    assert found["details"]["heads"] > 0
