"""Models that are functions written in a test, and a device whose arrays the host cannot read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.card_fields import Angle, Crop, GazeOutputs, HeadPoseOutputs
from tests.array_functions import Operators, each_array, functions_by
from tests.helpers import FakeDevice, FakeSession


def detector(answer: Callable[[np.ndarray], Sequence[Sequence[float]]], batch: Any = "N") -> FakeSession:
    """Return a detector whose rows `[label, x1, y1, x2, y2, score]` for a picture (3, H, W) come from a function.

    Labels as in upstream's files: 0 body, 7 head, 8 to 15 directions from front over the right. Rows are padded with
    zeros to 40, as a model with a fixed number of rows does.
    """

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        made = np.zeros((len(inputs["input_bgr"]), 40, 6), np.float32)
        for row, image in zip(made, inputs["input_bgr"], strict=True):
            found = np.asarray(answer(image), np.float32).reshape(-1, 6)
            row[: len(found)] = found
        return {"label_xyxy_score": made}

    directions = ("front", "right-front", "right-side", "right-back", "back", "left-back", "left-side", "left-front")
    return FakeSession(
        run,
        inputs={"input_bgr": (batch, 3, "H", "W")},
        outputs={"label_xyxy_score": (batch, 40, 6)},
        family="wholebody34",
        input_size_wh=(64, 32),
        classes={0: "body", 7: "head"} | {8 + k: name for k, name in enumerate(directions)},
    )


def gaze_model(
    answer: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    size_wh: tuple[int, int] = (64, 32),
    *,
    prepared: bool = False,
    many: bool = False,
    in_frame: bool = True,
    directions: bool = False,
    heads: Any = "heads",
    **card: Any,
) -> FakeSession:
    """Return a gaze model: maps (N, h, w) and in-frame probabilities (N,) for a picture (3, H, W) and boxes (N, 4).

    Args:
        answer: the function.
        size_wh: of the picture.
        prepared: many pictures at a time, (B, H, W, 3) u8, and for each head which of them it is in.
        many: the same with pictures (B, 3, H, W) f32 and boxes (1, N, 4).
        in_frame: False: maps alone come out.
        directions: where heads point comes out, too: to the side on which their box lies of the middle of the picture,
            and half as far as its corner to the camera.
        heads: how many it takes at a time, or a name for any number.
        card: other values of the card.
    """
    width, height = size_wh

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        pictures, boxes = inputs["image_bgr"], inputs["bboxes_x1y1x2y2"].reshape(-1, 4)
        if prepared or many:
            planes = pictures.transpose(0, 3, 1, 2).astype(np.float32) if prepared else pictures
            told = [answer(planes[row], boxes[k : k + 1]) for k, row in enumerate(inputs["image_row"].tolist())]
            maps, probs = (np.concatenate(part) for part in zip(*told, strict=True))
        else:
            maps, probs = answer(pictures[0], boxes)
        away = boxes[:, :2] + boxes[:, 2:] - 1
        pointing = np.concatenate([away, np.full((len(boxes), 1), -0.5)], axis=1)
        made = {"heatmap": maps, "inout": probs, "direction": np.concatenate([pointing, -pointing], axis=1)}
        return {name: np.asarray(made[name], np.float32) for name in outputs}

    outputs: dict[str, tuple[Any, ...]] = {"heatmap": (heads, 8, 8)}
    if in_frame:
        outputs["inout"] = (heads,)
    if directions:
        outputs["direction"] = (heads, 6)
        card = {"head_pose": HeadPoseOutputs(vector="direction"), **card}
    inputs = {
        "image_bgr": ("images" if many else 1, 3, height, width),
        "bboxes_x1y1x2y2": (1, heads, 4),
    }
    if prepared:
        inputs = {"image_bgr": ("pictures", height, width, 3), "bboxes_x1y1x2y2": (heads, 4)}
    if prepared or many:
        inputs["image_row"] = (heads,)
    values = {"family": "gazelle", "input_size_wh": size_wh, "gaze": GazeOutputs(), "head_pose": None, **card}
    session = FakeSession(run, inputs=inputs, outputs=outputs, **values)
    dtypes = {"image_bgr": "uint8" if prepared else "float32", "bboxes_x1y1x2y2": "float32", "image_row": "int64"}
    session.inputs = {name: (shape, dtypes[name]) for name, shape in inputs.items()}
    return session


def pose_model(
    answer: Callable[[np.ndarray], Sequence[float]], batch: Any = "N", valid_yaw_deg: float = 90.0, **card: Any
) -> FakeSession:
    """Return a pose model: yaw, pitch and roll, in our signs and order, for a crop (3, H, W).

    Args:
        answer: the function.
        batch: crops it takes at a time, or a name for any number.
        valid_yaw_deg: as in the card.
        card: other values of the card.
    """

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"angles": np.array([answer(image) for image in inputs["input"]], np.float32).reshape(-1, 3)}

    angles = {name: Angle(output="angles", column=k) for k, name in enumerate(("yaw", "pitch", "roll"))}
    values = {
        "input_size_wh": (8, 8),
        "crop": Crop(square=True),
        "head_pose": HeadPoseOutputs(**angles, valid_yaw_deg=valid_yaw_deg),
        **card,
    }
    return FakeSession(
        run, inputs={"input": (batch, 3, 8, 8)}, outputs={"angles": (batch, 3)}, family="head_pose", **values
    )


def appearance_model(
    answer: Callable[[np.ndarray], Sequence[float]], length: int = 3, batch: Any = "N", **card: Any
) -> FakeSession:
    """Return a re-identification model: a vector of that length for a crop (H, W, 3)."""

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        return {"vector": np.array([answer(image) for image in inputs["crop"]], np.float32).reshape(-1, length)}

    values = {"family": "appearance", "input_size_wh": (4, 8), "crop": Crop(), **card}
    return FakeSession(run, inputs={"crop": (batch, 8, 4, 3)}, outputs={"vector": (batch, length)}, **values)


class OnDevice(Operators):
    """An array that the host cannot read; maths on it stay where it is."""

    __array_priority__ = 100

    def __init__(self, content: np.ndarray) -> None:
        self.content = content
        self.shape, self.dtype, self.size = content.shape, content.dtype, content.size
        self.nbytes = content.nbytes

    def __array_namespace__(self) -> Any:
        return FarNamespace()

    def __len__(self) -> int:
        return len(self.content)

    def __getitem__(self, key: Any) -> OnDevice:
        return self.begin(lambda array, at: array[at], self, key)

    @property
    def T(self) -> OnDevice:
        """The matrix, turned over."""
        return OnDevice(self.content.T)

    def begin(self, function: Callable[..., Any], *args: Any, **options: Any) -> OnDevice:
        """Do a function on arrays of the device."""
        return OnDevice(np.asarray(function(*each_array(OnDevice, lambda one: one.content, args), **options)))

    def __array__(self, *args: Any, **kwargs: Any) -> np.ndarray:
        raise TypeError("an array on the device was used as one on the host; use device.to_host()")


class FarNamespace:
    """The functions for arrays that the host cannot read."""

    def __getattr__(self, name: str) -> Any:
        return functions_by(OnDevice(np.empty(0)).begin, name)

    def asarray(self, array: Any) -> OnDevice:
        """Return the array on the device."""
        return array if isinstance(array, OnDevice) else OnDevice(np.array(array))


class FarDevice(FakeDevice):
    """A device whose arrays the host cannot read, and which takes no array of the host."""

    kind = "cuda"
    xp = FarNamespace()

    def model_input(self, *args: Any, **kwargs: Any) -> Any:
        """Return the picture input on the device."""
        return OnDevice(FakeDevice().model_input(*args, **kwargs))

    def crops(self, *args: Any, **kwargs: Any) -> Any:
        """Return the parts of pictures on the device."""
        return OnDevice(super().crops(*args, **kwargs))

    def to_host(self, array: Any) -> np.ndarray:
        """Return what an array of the device holds."""
        if isinstance(array, np.ndarray):
            return array
        if not isinstance(array, OnDevice):
            raise TypeError(f"FarDevice.to_host: expected an array on the device, got {type(array).__name__}")
        return array.content


class FarSession(FakeSession):
    """A session on a `FarDevice`, made of one on the host."""

    def __init__(self, near: FakeSession) -> None:
        self.__dict__.update(near.__dict__)

    def run(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the answer, on the device, to inputs on the device."""
        wrong = sorted(name for name, array in inputs.items() if not isinstance(array, OnDevice))
        if wrong:
            raise TypeError(f"FarSession.run: expected arrays on the device, got {wrong} on the host")
        answer = super().run({name: array.content for name, array in inputs.items()})
        return {name: OnDevice(array) for name, array in answer.items()}
