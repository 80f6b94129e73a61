"""Cones in pictures, against thousands of targets drawn at random, and by what must hold of them."""

import numpy as np
import pytest

from nodes.ops.cone import Looks, Prior, cone_maps
from nodes.ops.directions import vectors
from nodes.ops.distance import lens_of

PRIOR = Prior(head_m=0.25, distance_m=2.1, distance_spread=0.63, clear=0.7)
SQUARE = (24, 24)
MIDDLE = (0.5, 0.5)


def looks(
    *yaw_pitch: tuple[float, float], at: tuple[float, float] = MIDDLE, tall: float = 0.1, spread: float = 13
) -> Looks:
    """Return heads of one place, a tenth of the frame high, in a picture of 4 : 3 that is 60° wide."""
    count, half = len(yaw_pitch), np.array([tall * 0.75 / 2, tall / 2])
    box = np.concatenate([at - half, at + half])
    return Looks(
        head_box=np.tile(box, (count, 1)),
        direction=vectors(np.array(yaw_pitch, np.float64).reshape(-1, 2)),
        spread_deg=np.full(count, float(spread)),
        inverse=np.tile(np.linalg.inv(lens_of(60, 4 / 3)), (count, 1, 1)),
    )


def drawn(yaw: float, pitch: float, at: tuple[float, float], tall: float, spread: float) -> np.ndarray:
    """Return the map of targets drawn from the prior, seen by the camera."""
    rng = np.random.default_rng(11)
    count, sharp = 200_000, 1 / np.radians(spread) ** 2
    along = 1 + np.log(rng.random(count) * -np.expm1(-2 * sharp) + np.exp(-2 * sharp)) / sharp
    about = rng.random(count) * 2 * np.pi
    off = np.sqrt(np.maximum(1 - along**2, 0))
    axis = vectors(np.array([[yaw, pitch]]))[0]
    one = np.cross(axis, [0.3, 0.9, 0.1])
    one /= np.linalg.norm(one)
    other = np.cross(axis, one)
    way = axis * along[:, None] + off[:, None] * (one * np.cos(about)[:, None] + other * np.sin(about)[:, None])
    width = 2 * np.tan(np.radians(30))
    height = width * 3 / 4
    head = np.array([(at[0] - 0.5) * width, (at[1] - 0.5) * height, 1]) * 0.25 / (tall * height)
    away = head / np.linalg.norm(head)
    right = np.array([away[2], 0, -away[0]]) / np.hypot(away[0], away[2])
    axes = np.stack([right, np.cross(away, right), away])
    distance = 2.1 * np.exp(0.63 * rng.normal(size=count))
    target = head + distance[:, None] * (way @ axes)
    ahead = target[target[:, 2] > 0.05]
    ahead = ahead[rng.random(len(ahead)) < 1 - np.exp(-((ahead[:, 2] / (0.7 * head[2])) ** 4))]
    seen = ahead[:, :2] / ahead[:, 2:] / [width, height] + 0.5
    made, _, _ = np.histogram2d(seen[:, 1], seen[:, 0], bins=SQUARE, range=[[0, 1], [0, 1]])
    return made / count


@pytest.mark.parametrize(
    ("yaw", "pitch", "at"),
    [
        (90, 0, MIDDLE),
        (-60, -20, (0.7, 0.4)),
        (30, 10, (0.3, 0.6)),
        (0, 0, MIDDLE),
        (150, -30, (0.2, 0.3)),
        (90, 0, (0.9, 0.5)),
    ],
)
def test_maps_are_where_targets_of_the_prior_are_seen(yaw: float, pitch: float, at: tuple[float, float]) -> None:
    (made,) = cone_maps(looks((yaw, pitch), at=at), SQUARE, PRIOR)

    wanted = drawn(yaw, pitch, at, 0.1, 13)
    assert made.sum() == pytest.approx(wanted.sum(), abs=0.04)
    assert np.abs(made - wanted).sum() < 0.2


def test_a_mirrored_head_has_a_mirrored_map() -> None:
    ways = [(90, 0), (30, -20), (-120, 15), (0, 0)]
    plain = cone_maps(looks(*ways, at=(0.3, 0.4)), SQUARE, PRIOR)

    mirrored = cone_maps(looks(*((-yaw, pitch) for yaw, pitch in ways), at=(0.7, 0.4)), SQUARE, PRIOR)

    np.testing.assert_allclose(mirrored, plain[:, :, ::-1], atol=1e-6)


def test_the_map_lies_on_the_side_that_the_head_points_to() -> None:
    right, up, away = cone_maps(looks((90, 0), (90, 60), (180, 0)), SQUARE, PRIOR)

    assert right[:, 12:].sum() > 0.9 * right.sum()
    assert up[:12].sum() > 0.9 * up.sum()
    assert np.unravel_index(away.argmax(), away.shape)[0] in (11, 12)


def test_the_more_a_head_points_at_the_camera_the_less_the_picture_holds() -> None:
    turned = looks(*((yaw, 0) for yaw in (180, 135, 110, 90, 70, 45, 0)), tall=0.25)

    share = cone_maps(turned, SQUARE, PRIOR).sum(axis=(1, 2))

    assert (np.diff(share[:5]) < 0).all()
    assert share[0] > 0.95
    assert (share[5:] < 0.1).all()  # a little lies between the head and the camera


def test_a_look_past_the_edge_leaves_the_picture() -> None:
    inward, outward = cone_maps(looks((-90, 0), (90, 0), at=(0.95, 0.5)), SQUARE, PRIOR).sum(axis=(1, 2))

    assert inward > 0.8 > 0.2 > outward


def test_toward_the_camera_the_cone_is_wider() -> None:
    maps = cone_maps(looks((90, 0), (45, 0)), SQUARE, PRIOR)

    rows = (np.arange(24) + 0.5) / 24
    across = maps.sum(axis=2) / maps.sum(axis=(1, 2))[:, None]
    high = np.sqrt((across * (rows - 0.5) ** 2).sum(axis=1))
    assert high[1] > 1.1 * high[0]


def test_heads_have_nothing_to_do_with_each_other() -> None:
    every = looks((90, 0), (-30, 20), (170, -10))

    together = cone_maps(every, (16, 9), PRIOR)

    for k in range(3):
        alone = Looks(*(getattr(every, name)[k : k + 1] for name in Looks.__dataclass_fields__))
        np.testing.assert_array_equal(cone_maps(alone, (16, 9), PRIOR)[0], together[k])
    assert cone_maps(looks(), (16, 9), PRIOR).shape == (0, 9, 16)
