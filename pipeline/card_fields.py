"""Parts of model cards that only some families have: how crops are cut, and what outputs mean as a head pose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0)]
Sign = Literal[-1, 1]


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
    colour: Literal["bgr", "rgb"] = "bgr"
    """Order of the channels."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """What is taken off the channels, which are 0 to 255."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """What they are divided by after that."""


class Angle(_Part):
    """Where an angle stands in the outputs, degrees."""

    output: str
    """Name of the output, (N, columns)."""
    column: int = Field(default=0, ge=0)
    """Its column."""
    sign: Sign = 1
    """-1 where the model counts the other way round. Ours: yaw positive with the nose to image-right, pitch with the
    nose up, roll clockwise in the image."""


class HeadPoseOutputs(_Part):
    """What the outputs of a model of head poses mean: three angles, or one rotation."""

    yaw: Angle | None = None
    pitch: Angle | None = None
    roll: Angle | None = None
    order: Literal["yxz", "xyz", "zyx"] = "yxz"
    """Axes of the angles from the last turn to the first, each fixed in the picture: y yaw, x pitch, z roll."""
    rotation: str | None = None
    """Output that is the rotation, (N, 3, 3), or its first two columns, (N, 6), in place of angles."""
    axes: tuple[Sign, Sign, Sign] = (1, 1, 1)
    """Which way the axes of that rotation go: 1 to image-right, down and away from the camera, -1 the other way."""
    valid_yaw_deg: float = Field(default=180.0, gt=0, le=180)
    """How far from the camera heads may be turned for the model to be believed; 90 where it learned from faces."""

    @property
    def columns(self) -> tuple[tuple[str, int], ...]:
        """Name the outputs that are read, with the column of angles; of a rotation all columns are, so the last."""
        if self.rotation:
            return ((self.rotation, 0),)
        return tuple((angle.output, angle.column) for angle in (self.yaw, self.pitch, self.roll) if angle)

    @property
    def angles(self) -> tuple[Angle, ...]:
        """Return yaw, pitch and roll, or nothing where the output is a rotation."""
        return tuple(angle for angle in (self.yaw, self.pitch, self.roll) if angle)

    def unfit(self, shapes: Mapping[str, tuple[int | str, ...]]) -> list[tuple[str, str]]:
        """Return what is wanted of outputs, and their names, where the shapes of the contract do not have it."""
        unfit = []
        for angle in self.angles:
            shape = shapes.get(angle.output, ())
            if len(shape) != 2 or (isinstance(shape[1], int) and angle.column >= shape[1]):
                unfit.append((f"[N, columns] of the contract with a column {angle.column}", angle.output))
        if self.rotation and shapes.get(self.rotation, ())[1:] not in ((3, 3), (6,)):
            unfit.append(("[N, 3, 3] or [N, 6] of the contract", self.rotation))
        return unfit

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.angles) != (0 if self.rotation else 3):
            raise ValueError("expected `yaw`, `pitch` and `roll`, or `rotation` alone; write one of the two")
        return self
