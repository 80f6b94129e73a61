"""Parts of model cards that only some families have: how inputs are made, and what outputs mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
Sign = Literal[-1, 1]
Shapes = Mapping[str, tuple[int | str, ...]]
"""Of outputs, by name."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Crop(_Part):
    """How the input of a model that looks at one thing at a time is cut from a picture around the box of that thing.

    What lies beyond the picture repeats its edge.
    """

    scale: float = Field(default=1.0, gt=0)
    """Sides of the crop, in those of the box."""
    square: bool = False
    """True: both sides follow the longer one of the box, in pixels, so that nothing is stretched."""
    down: float = 0.0
    """How far the centre of the crop lies below that of the box, in heights of the box."""
    colour: Literal["bgr", "rgb", "grey"] = "bgr"
    """Order of the channels; `grey` is one channel, brightness."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What is taken off the channels, which are 0 to 255; of grey pictures, the first number."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """What they are divided by after that."""


class Picture(_Part):
    """How the input of a model that looks at whole pictures is made of one."""

    fit: Literal["stretch", "letterbox"] = "stretch"
    """`stretch`: both axes fill the input. `letterbox`: the picture keeps its shape, stands in the upper left corner,
    and what is left over at the right or at the bottom is filled."""
    fill: int = Field(default=0, ge=0, le=255)
    """What the rest of a letterbox is filled with."""
    shrink: Literal["area", "linear"] = "area"
    """`linear`, as most makers do: each axis is halved by area as far as that goes, the rest is linear; a fraction of
    the time of `area`."""
    colour: Literal["bgr", "rgb"] = "bgr"
    """Order of the channels."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What is taken off the channels, which are 0 to 255."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """What they are divided by after that."""


class FaceToHead(_Part):
    """How the box of a whole head is made of that of its face, for detectors of faces."""

    width: float = Field(gt=0)
    """Width of the head, in those of the face."""
    height: float = Field(gt=0)
    """Height of the head, in those of the face."""
    up: float = 0.0
    """How far the centre of the head lies above that of the face, in heights of the face."""


class PeakInFrame(_Part):
    """How probable it is that what is looked at is in the picture, by the height of the map's peak.

    For gaze models without an in/out output: `1 / (1 + exp(-slope * (logit(peak) - logit(even_at))))`.
    """

    even_at: float = Field(default=0.3, gt=0, lt=1)
    """Height of the peak at which it is as probable as not."""
    slope: float = Field(default=1.0, gt=0)
    """How sharply higher peaks tell more."""


class GazeOutputs(_Part):
    """What the map of a gaze model is."""

    source_cells_wh: tuple[int, int] | None = None
    """Columns and rows of the map before the file's last step thins it by leaving cells out; None where it does not."""
    peak_in_frame: PeakInFrame | None = None
    """For files without an in/out output; None: as usual."""


class Figure(_Part):
    """A figure that the makers of a model published."""

    measure: str
    """What it is, with its unit: `GazeFollow AUC`, `latency of 1 head, ms`."""
    value: float
    on: str = ""
    """The data it was measured on, or the machine and runtime."""


class Bins(_Part):
    """An angle as scores of equal steps, decoded as the mean of the steps weighted by softmax."""

    width_deg: float = Field(gt=0)
    """Degrees from one step to the next."""
    first_deg: float
    """What the first step stands for."""


class Angle(_Part):
    """Where an angle stands in the outputs, degrees unless told otherwise."""

    output: str
    """Name of the output, (N, columns)."""
    column: int = Field(default=0, ge=0)
    """Its column; with `bins`, the whole output is the angle."""
    sign: Sign = 1
    """-1 where the model counts the other way round. Ours: yaw positive with the nose to image-right, pitch with the
    nose up, roll clockwise in the image."""
    unit: Literal["degrees", "radians"] = "degrees"
    bins: Bins | None = None
    """For outputs (N, steps) that score steps of the angle."""

    def unfit(self, shapes: Shapes) -> list[tuple[str, str]]:
        """Return what is wanted of the output, and its name, where the shapes of the contract do not have it."""
        shape = shapes.get(self.output, ())
        columns = shape[1] if len(shape) == 2 else 0
        if self.bins:
            return [] if columns not in (0, 1) else [("[N, steps] of the contract", self.output)]
        if len(shape) == 2 and (isinstance(columns, str) or self.column < columns):
            return []
        return [(f"[N, columns] of the contract with a column {self.column}", self.output)]

    @model_validator(mode="after")
    def _bins_are_the_whole_output(self) -> Self:
        if self.bins and (self.column or self.unit != "degrees"):
            raise ValueError("expected `bins` without `column` and `unit`: they are a whole output, in degrees")
        return self


class FaceGazeOutputs(_Part):
    """What the outputs of a model of gaze from faces or eyes mean: two angles, or a direction."""

    yaw: Angle | None = None
    """0 to the camera, positive to image-right once its sign is applied."""
    pitch: Angle | None = None
    """0 to the camera, positive up once its sign is applied."""
    vector: str | None = None
    """Output (N, 3) that is a direction, of any length, in place of angles."""
    axes: tuple[Sign, Sign, Sign] = (1, 1, 1)
    """Which way the axes of that direction go: 1 to image-right, down and away from the camera, -1 the other way."""

    def unfit(self, shapes: Shapes) -> list[tuple[str, str]]:
        """Return what is wanted of outputs, and their names, where the shapes of the contract do not have it."""
        unfit = [wanted for angle in (self.yaw, self.pitch) if angle for wanted in angle.unfit(shapes)]
        if self.vector and shapes.get(self.vector, ())[1:] != (3,):
            unfit.append(("[N, 3] of the contract", self.vector))
        return unfit

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.yaw is None) != (self.pitch is None) or (self.yaw is None) == (self.vector is None):
            raise ValueError("expected `yaw` and `pitch`, or `vector` alone; write one of the two")
        return self


class HeadPoseOutputs(_Part):
    """What the outputs of a model of head poses mean: three angles, or one rotation."""

    yaw: Angle | None = None
    pitch: Angle | None = None
    roll: Angle | None = None
    order: Literal["yxz", "xyz", "zyx"] = "yxz"
    """Axes of the angles from the last turn to the first, each fixed in the picture: y yaw, x pitch, z roll."""
    rotation: str | None = None
    """Output that is the rotation, (N, 3, 3), or its first two columns, (N, 6), in place of angles."""
    vector: str | None = None
    """Output whose first three columns are where the nose points, of any length, in place of angles; roll is then 0."""
    axes: tuple[Sign, Sign, Sign] = (1, 1, 1)
    """Which way the axes of rotation or vector go: 1 to image-right, down and away from the camera, -1 the other way.
    """
    transposed: bool = False
    """The rotation leads from the head seen to the head at rest, as that of models does whose labels are the angles of
    300W-LP, put together as `Rz(roll) · Ry(yaw) · Rx(pitch)`; their axes are [1, -1, -1]."""
    valid_yaw_deg: float = Field(default=180.0, gt=0, le=180)
    """How far from the camera heads may be turned for the model to be believed; 90 where it learned from faces."""

    @property
    def angles(self) -> tuple[Angle, ...]:
        """Return yaw, pitch and roll, or nothing where the output is a rotation or a vector."""
        return tuple(angle for angle in (self.yaw, self.pitch, self.roll) if angle)

    def unfit(self, shapes: Shapes) -> list[tuple[str, str]]:
        """Return what is wanted of outputs, and their names, where the shapes of the contract do not have it."""
        unfit = [wanted for angle in self.angles for wanted in angle.unfit(shapes)]
        if self.rotation and shapes.get(self.rotation, ())[1:] not in ((3, 3), (6,)):
            unfit.append(("[N, 3, 3] or [N, 6] of the contract", self.rotation))
        columns = shapes.get(self.vector, ())[1:] if self.vector else (3,)
        if len(columns) != 1 or (isinstance(columns[0], int) and columns[0] < 3):
            unfit.append(("[N, 3 or more] of the contract", self.vector or ""))
        return unfit

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sorted((len(self.angles), 3 * bool(self.rotation), 3 * bool(self.vector))) != [0, 0, 3]:
            raise ValueError("expected `yaw`, `pitch` and `roll`, or `rotation`, or `vector`; write one of the three")
        if self.transposed and not self.rotation:
            raise ValueError("expected `transposed` beside a rotation; take it away")
        return self
