"""The maths of gaze maps say the same wherever the maps are: in the strictest namespace, and late on a stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops import fixation, gaze_schedule, heat, heatmap, mass
from tests.fake_cupy import FakeCupy

Function = Callable[..., Any]
SHAPES = [(0, 6, 8), (1, 1, 1), (1, 64, 64), (3, 6, 8), (5, 48, 64)]
"""N, h, w."""
PACE = fixation.Pace(hold_s=0.2, gate=0.3, follow_s=0.018)


@dataclass(frozen=True)
class Place:
    """Where arrays are."""

    send: Function
    """Takes an array of the host there."""
    fetch: Function
    """Brings one back."""
    within: float = 0.0
    """How far results may be from those of numpy."""


def stand_in() -> Place:
    cupy = FakeCupy(launch=lambda *_: None)
    cupy.set_allocator(cupy.malloc)
    stream = cupy.Stream(non_blocking=True)
    stream.use()
    return Place(cupy.asarray, lambda array: array.get(stream=stream, blocking=True))


@pytest.fixture(scope="module", params=["strict", "stand-in", pytest.param("cuda", marks=pytest.mark.needs_cuda)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Return where the maths are done, beside numpy."""
    if request.param == "strict":
        with array_api_strict.ArrayAPIStrictFlags(api_version="2024.12"):
            yield Place(array_api_strict.asarray, np.asarray)
    elif request.param == "stand-in":
        yield stand_in()
    else:
        from pipeline.device_cuda import CudaDevice

        device = CudaDevice()
        yield Place(device.xp.asarray, device.to_host, within=1e-5)


def maps_of(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """Return hills of noise (N, h, w), the first of them a map of zeros, the second with cells that are alike."""
    made = np.random.default_rng(seed).random(shape).astype(np.float32)
    made[1:2] = np.round(made[1:2], 1)
    made[:1] = 0
    return made


def sent(place: Place, given: Any) -> Any:
    """Return arguments with arrays there."""
    if isinstance(given, fixation.Fixations):
        return fixation.Fixations(*(place.send(getattr(given, field.name)) for field in fields(given)))
    return place.send(given) if isinstance(given, np.ndarray) else given


def fetched(place: Place, told: Any) -> list[np.ndarray]:
    """Return the arrays of a result on the host."""
    if isinstance(told, fixation.Fixations):
        told = tuple(getattr(told, field.name) for field in fields(told))
    return [place.fetch(one) for one in (told if isinstance(told, tuple) else (told,))]


def check(place: Place, function: Function, *given: Any) -> None:
    """Hold a function there against itself under numpy."""
    here = Place(np.asarray, np.asarray)
    wanted, told = fetched(here, function(*given)), fetched(place, function(*(sent(place, one) for one in given)))
    for one, other in zip(wanted, told, strict=True):
        assert (other.dtype, other.shape) == (one.dtype, one.shape)
        np.testing.assert_allclose(other, one, rtol=0, atol=place.within)


def held_of(maps: np.ndarray, with_maps: bool, seed: int = 1) -> fixation.Fixations:
    """Return what is held after a look at maps."""
    rng = np.random.default_rng(seed)
    point, spread = rng.random((2, len(maps), 2)).astype(np.float32)
    return fixation.seen_anew(point, spread, maps if with_maps else None)


@pytest.mark.parametrize("shape", SHAPES)
def test_points_of_maps(place: Place, shape: tuple[int, int, int]) -> None:
    maps, (x, y) = maps_of(shape), (heatmap.cell_centres(count) for count in (shape[2], shape[1]))

    check(place, heatmap.peaks, maps)
    check(place, heatmap.refined_peaks, maps, x, y)
    check(place, heatmap.hills, maps, x, y, 0.5)
    check(place, heatmap.in_frame_by_peak, maps, 0.4, 1.3)
    check(place, lambda given: heatmap.evened(given, (shape[2] + shape[2] // 4, shape[1])), maps)
    check(place, lambda given: heatmap.cell_centres(7, heatmap.namespace(given)), maps)


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.integers(0, 9))
def test_a_peak_between_cells(place: Place, x: float, y: float, seed: int) -> None:
    across, down = heatmap.cell_centres(12), heatmap.cell_centres(9)
    hill = np.exp(-((across - x) ** 2 + (down[:, None] - y) ** 2) / 0.02)[None]

    check(place, heatmap.refined_peaks, np.concatenate([hill, maps_of((2, 9, 12), seed)]), across, down)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("people", [0, 3])
def test_shares_of_areas_and_boxes(place: Place, shape: tuple[int, int, int], people: int) -> None:
    rng, maps = np.random.default_rng(2), maps_of(shape)
    areas, boxes = rng.random((4, *shape[1:])), np.sort(rng.random((people, 2, 2)), axis=1).reshape(people, 4)

    check(place, mass.cell_shares_of_maps, maps)
    check(place, lambda maps, *more: mass.in_areas(mass.cell_shares_of_maps(maps), *more), maps, areas, boxes)
    check(place, lambda maps, boxes: mass.in_boxes(mass.cell_shares_of_maps(maps), boxes), maps, boxes)


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_the_map_that_is_drawn(place: Place, shape: tuple[int, int, int]) -> None:
    check(place, heat.hottest, maps_of(shape), np.linspace(0, 1, shape[0], dtype=np.float32))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("with_maps", [True, False], ids=["maps", "points"])
def test_what_is_held(place: Place, shape: tuple[int, int, int], with_maps: bool) -> None:
    held, seen = held_of(maps_of(shape), with_maps), held_of(maps_of(shape, seed=5), with_maps, seed=6)
    apart_s, rows = np.linspace(0.02, 0.4, shape[0]), np.arange(shape[0])[::-2]
    x, y = (heatmap.cell_centres(count) for count in (shape[2], shape[1]))

    check(place, lambda *two: fixation.followed(*two, PACE), held, seen, apart_s)
    check(place, lambda one, two: one.join(two).take(rows), held, seen)
    if with_maps:
        check(place, lambda held, *more: fixation.on_maps(held, *more, 0.17), held, x, y)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2)), min_size=1, max_size=6))
def test_how_far_what_is_held_goes(place: Place, looks: list[tuple[float, float, float]]) -> None:
    check(place, lambda *given: fixation.share_followed(*given, PACE), *np.array(looks).T.copy())


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_how_much_maps_moved(place: Place, shape: tuple[int, int, int]) -> None:
    before, now = maps_of(shape), maps_of(shape, seed=5)

    def moved(before: Any, now: Any) -> Any:
        answers = [gaze_schedule.Answer(0, np.empty(4), np.empty(8)) for _ in range(shape[0])]
        for row, answer in enumerate(answers[1:], 1):  # the first was never asked about
            answer.before = gaze_schedule.Answer(0, np.empty(4), np.empty(8), heard=True, heatmap=before[row, ...])
        return gaze_schedule.moved(answers, now)

    check(place, moved, before, now)
