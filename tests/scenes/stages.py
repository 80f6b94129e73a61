"""Hand-made cameras, canvases and people for the tests of scenes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenes.camera import Camera, aimed_camera
from scenes.canvas import Canvas, Light
from scenes.figure import Figure, Target
from scenes.geometry import azimuth_elevation, looking_along, unit
from scenes.looks import sample_looks
from scenes.pose import Pose, head_centre

Floats = NDArray[np.float64]


def level_camera(size_wh: tuple[int, int] = (320, 240), focal_in_widths: float = 1.0) -> Camera:
    """Stand at 1.6 m and look level along +z."""
    return aimed_camera(size_wh, focal_in_widths=focal_in_widths, height_m=1.6, yaw_deg=0, pitch_down_deg=0)


def empty_canvas(camera: Camera | None = None) -> Canvas:
    light = Light(ambient=1.0, diffuse=0.0, towards_lamp=np.array([0.0, -1.0, 0.0]))
    return Canvas(level_camera() if camera is None else camera, light)


def standing(ground: tuple[float, float], target: Floats, *, person_id: int = 1, looks_seed: int = 3) -> Figure:
    """Return a person at x, z whose nose, eyes and body all point at a target."""
    looks = sample_looks(np.random.default_rng(looks_seed))
    feet = np.array([ground[0], 0.0, ground[1]])
    gaze = unit(target - head_centre(looks, feet, 0.0, 0.0, False))
    pose = Pose(
        ground=feet,
        body_yaw_rad=azimuth_elevation(gaze)[0],
        lean=0.0,
        seated=False,
        stride=0.0,
        arms=("hang", "hang"),
        arms_before=None,
        arms_share=1.0,
        head=looking_along(gaze),
        gaze=gaze,
    )
    return Figure(person_id=person_id, looks=looks, pose=pose, target=Target(target, "object", "shelf"))
