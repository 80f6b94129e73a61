"""What belongs to a camera: the `streams.<id>` block of a configuration."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from pipeline.intrinsics import intrinsics

Point = tuple[float, float]
STREAM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def _polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if len(points) < 3:
        raise ValueError(f"a polygon needs 3 points or more, got {len(points)}")
    for x, y in points:
        if not (0.0 <= x <= 1.0 and 0.0 <= y <= 1.0):
            raise ValueError(
                f"points are fractions of the frame, 0 to 1, got {(x, y)!r}; divide pixels by width and height"
            )
    return points


Polygon = Annotated[tuple[Point, ...], AfterValidator(_polygon)]


class Area(BaseModel):
    """An area of interest. A bare list of points is an area without holes, on level 0."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    polygon: Polygon
    """Its outline: `[x, y]` in fractions of the frame."""
    holes: tuple[Polygon, ...] = ()
    """What is cut out of it: outlines like `polygon`."""
    level: int = 0
    """Where areas of different levels overlap, only the highest is looked at: what stands in front has the higher one.
    Areas of one level share what they overlap in, such as a shelf and one of its boards."""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"polygon": given} if isinstance(given, list | tuple) else given


class StreamConfig(BaseModel):
    """One camera or file; everything but `url` has a default."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    url: str = Field(coerce_numbers_to_str=True)
    """A file, a glob, a folder of pictures, a camera index such as `0`, or an http(s)/rtsp URL."""
    aois: dict[str, Area] = Field(default_factory=dict)
    """Areas of interest by name: polygons of `[x, y]` in fractions of the frame, or `{polygon, holes, level}`."""
    masks: tuple[Polygon, ...] = ()
    """Areas in which nobody is looked for, such as a poster or a mirror: polygons in fractions of the frame."""
    hfov_deg: float | None = None
    """Horizontal field of view of a pinhole camera, degrees below 180; None when unknown. `camera_matrix` goes first.
    """
    camera_matrix: tuple[tuple[float, ...], ...] | None = None
    """3×4 projection matrix, pixels from world, or the 3×3 matrix of the lens; None when unknown."""
    camera_size_wh: tuple[int, int] | None = None
    """Width and height of the pictures that `camera_matrix` was made for; None: those of the stream."""
    camera_origin: Literal["corner", "centre"] = "corner"
    """Where its pixels are counted from: the upper left corner of the picture, or its centre."""
    max_fps: float | None = Field(default=None, gt=0)
    """Frames above this rate are dropped before any model (counted as `rate_limit`). Raise for smoother video."""
    when_full: Literal["auto", "wait", "keep_newest"] = "auto"
    """What happens when the graph is busy: `wait` (nothing is lost), `keep_newest` (late frames are dropped);
    `auto` waits for files and keeps the newest of live streams."""
    realtime: bool = False
    """Play a file as if it were a camera: at its own speed, with frames dropped when the graph is busy."""
    max_age_ms: float | None = Field(default=None, gt=0)
    """A live frame that would reach the sinks older than this is dropped. Lower for fresher results, more drops."""
    start_time: datetime | None = None
    """Wall-clock time of pts 0, for event times; default: 1970-01-01T00:00:00Z for files, and when the
    run began for live streams."""

    @field_validator("aois")
    @classmethod
    def _names(cls, aois: dict[str, Area]) -> dict[str, Area]:
        for name in aois:
            if not name.strip() or len(name) > 64 or any(c in name for c in ":\n\t"):
                raise ValueError(f"an AOI name is 1 to 64 characters without ':' or line breaks, got {name!r}")
        return aois

    @field_validator("hfov_deg")
    @classmethod
    def _field_of_view(cls, hfov_deg: float | None) -> float | None:
        if hfov_deg is not None and not 0 < hfov_deg < 180:
            raise ValueError(
                f"expected more than 0 and less than 180 degrees, got {hfov_deg!r}: no pinhole camera sees more; leave "
                "it out for a fisheye, or give the value of its undistorted picture"
            )
        return hfov_deg

    @field_validator("camera_matrix")
    @classmethod
    def _matrix(cls, rows: tuple[tuple[float, ...], ...] | None) -> tuple[tuple[float, ...], ...] | None:
        if rows is not None:
            if len(rows) != 3 or {len(row) for row in rows} not in ({3}, {4}):
                raise ValueError(f"expected 3 rows of 3 or 4 numbers, got rows of {[len(row) for row in rows]!r}")
            intrinsics(rows)
        return rows

    @field_validator("camera_size_wh")
    @classmethod
    def _size(cls, size_wh: tuple[int, int] | None) -> tuple[int, int] | None:
        if size_wh is not None and min(size_wh) < 1:
            raise ValueError(f"expected width and height in pixels, 1 or more, got {size_wh!r}")
        return size_wh

    @model_validator(mode="after")
    def _looks_at_its_picture(self) -> Self:
        if self.camera_matrix is not None:
            middle = np.round(intrinsics(self.camera_matrix)[:2, 2], 1) + 0.0  # no -0
            far = np.array(self.camera_size_wh or (np.inf, np.inf))
            low, high = (np.ones(2), far) if self.camera_origin == "corner" else (-far / 2, far / 2)
            if not ((middle > low) & (middle < high)).all():
                other = "centre" if self.camera_origin == "corner" else "corner"
                raise ValueError(
                    f"camera_matrix: expected the lens to look into its picture, got a principal point of "
                    f"({middle[0]}, {middle[1]}) px from the {self.camera_origin}; correct camera_size_wh, or "
                    f"set camera_origin: {other} where pixels are counted from there"
                )
        return self
