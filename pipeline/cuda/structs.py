"""The structs of pixels.cu as numpy has them: rows that the host fills and the kernels read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

CHANNEL = np.dtype([("samples", np.uint64), ("pitch", np.int32), ("stride", np.int32)], align=True)
"""One channel of a picture: `samples`, the address of the first u8 sample of its window; `pitch`, bytes from a row to
the next; `stride`, bytes from a sample to the next of its row: 1 in I420, 2 in the chroma of NV12, 3 in BGR."""

AXIS = np.dtype(
    [
        ("origin", np.float32),
        ("step", np.float32),
        ("span", np.float32),
        ("count", np.int32),
        ("halvings", np.int32),
    ],
    align=True,
)
"""How pixels of the content lie along one axis of a window of samples, after the window was halved `halvings` times.

Pixel i covers `span` samples about `origin + (i + 0.5) · step`, in halved samples: sample j lies from j to j + 1.
`count` is the number of halved samples; beyond them the first or the last is repeated. A halved sample is the mean of
2 ** halvings along the axis.
"""

IMAGE = np.dtype(
    [
        ("channels", CHANNEL, (3,)),
        ("x", AXIS),
        ("y", AXIS),
        ("chroma_x", AXIS),
        ("chroma_y", AXIS),
        ("width", np.int32),
        ("height", np.int32),
        ("turned", np.int32),
        ("flipped_x", np.int32),
        ("flipped_y", np.int32),
        ("yuv", np.int32),
    ],
    align=True,
)
"""What one image of a batch is made of.

`channels` are Y, U, V when `yuv` is 1, or 2 for full range, else B, G, R. `x` and `y` are the axes of the first
channel, or of all three; `chroma_x` and `chroma_y` those of U and V, by one pixel for every two of the content. `width`
and `height` are the content's, pixels, as the planes lie. The upright content has its axes swapped when `turned` is 1,
and then x runs backwards in the planes when `flipped_x` is 1, and y when `flipped_y` is.
"""

TARGET = np.dtype(
    [
        ("width", np.int32),
        ("height", np.int32),
        ("channels", np.int32),
        ("rgb", np.int32),
        ("channels_last", np.int32),
        ("fill", np.float32),
        ("mean", np.float32, (3,)),
        ("std", np.float32, (3,)),
    ],
    align=True,
)
"""What a batch of model inputs looks like; one row. The fields are the arguments of `target`."""


def target(
    size_wh: tuple[int, int],
    colour: str = "bgr",
    layout: str = "nchw",
    dtype: str = "float32",
    fill: int = 0,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
) -> Array:
    """Return the row (1,) TARGET for the arguments of `Device.model_input`; one mean and deviation do for `grey`.

    Raises:
        ValueError: a name that is not among those of `Device.model_input`, a size of nothing, a mean or a deviation
            for whole numbers, or not one for each channel, a fill that is no byte where one is asked for.
    """
    for name, got, known in (
        ("colour", colour, ("bgr", "rgb", "grey")),
        ("layout", layout, ("nchw", "nhwc")),
        ("dtype", dtype, ("float32", "uint8")),
    ):
        if got not in known:
            raise ValueError(f"target: {name}: expected one of {', '.join(map(repr, known))}, got {got!r}")
    if min(size_wh) < 1:
        raise ValueError(f"target: size_wh: expected 1 pixel or more each way, got {size_wh!r}")
    channels = 1 if colour == "grey" else 3
    if dtype != "float32" and (any(mean) or any(value != 1 for value in std)):
        raise ValueError(f"target: mean and std: expected the dtype 'float32', got {dtype!r}")
    if dtype == "uint8" and not 0 <= fill <= 255:
        raise ValueError(f"target: fill: expected 0 to 255 for the dtype 'uint8', got {fill!r}")
    for name, values in (("mean", mean), ("std", std)):
        if len(values) not in (channels, 3):
            raise ValueError(f"target: {name}: expected {channels} values, got {len(values)}")
    row = np.zeros(1, TARGET)
    row["width"], row["height"] = size_wh
    row["channels"], row["rgb"], row["channels_last"] = channels, colour == "rgb", layout == "nhwc"
    row["fill"] = fill
    row["mean"][0, : len(mean)], row["std"][0, : len(std)] = mean, std
    return row
