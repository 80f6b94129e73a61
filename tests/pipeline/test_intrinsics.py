"""The lens is read off a camera's matrix, wherever the camera stands."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.control.changes import LIVE_OF_STREAM
from pipeline.intrinsics import intrinsics
from pipeline.streams import StreamConfig

LENS = np.array([[1000.0, 4.0, 960.0], [0.0, 900.0, 540.0], [0.0, 0.0, 1.0]])


def projection(scale: float) -> np.ndarray:
    """Return the 3×4 matrix of a camera that is turned and stands away from the origin."""
    a, b = np.radians([30.0, -50.0])
    turned = np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turned = turned @ np.array([[1, 0, 0], [0, np.cos(b), np.sin(b)], [0, -np.sin(b), np.cos(b)]])
    return scale * LENS @ np.concatenate([turned, [[3.0], [-2.0], [7.0]]], axis=1)


@pytest.mark.parametrize("scale", [1.0, 250.0, -1e-3])
def test_the_lens_of_a_projection_does_not_depend_on_scale_and_sign(scale: float) -> None:
    np.testing.assert_allclose(intrinsics(projection(scale)), LENS, rtol=1e-9, atol=1e-6)


def test_the_matrix_of_a_lens_is_itself() -> None:
    np.testing.assert_allclose(intrinsics(2 * LENS), LENS, atol=1e-9)


@pytest.mark.parametrize(
    "matrix", [np.zeros((3, 4)), np.ones((3, 3)), np.eye(4), [[1, 0, 0], [0, 1, 0], [0, 0, np.inf]]]
)
def test_what_is_no_camera_is_refused(matrix: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"^expected "):
        intrinsics(matrix)


def test_pixels_may_be_counted_from_the_centre() -> None:
    centred = LENS.copy()
    centred[:2, 2] = 0

    StreamConfig(url="a.mp4", camera_matrix=centred.tolist(), camera_origin="centre")
    with pytest.raises(ValidationError, match="set camera_origin: centre"):
        StreamConfig(url="a.mp4", camera_matrix=centred.tolist())


def test_what_describes_the_camera_may_change_while_it_is_read() -> None:
    assert {"hfov_deg", "camera_matrix", "camera_size_wh", "camera_origin"} <= LIVE_OF_STREAM
