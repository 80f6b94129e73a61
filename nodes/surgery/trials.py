"""What models are tried on before they are put in place: made-up pictures and boxes, and frames of clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nodes.surgery.graph import Array
from pipeline.card_fields import Picture as PictureRecipe
from pipeline.errors import SourceError
from pipeline.frames import Picture

if TYPE_CHECKING:
    from av import VideoFrame

HeadFinder = Callable[[Picture], Array]

_HEADS = 2
"""Heads of a made-up picture; each takes a large model some 200 MB for a while."""
_MOST_FRAMES = 3000
"""Frames of a clip that are looked through at most."""
_HEAD_SIDES = (0.04, 0.2)
"""Least and largest sides of made-up heads, fractions of the picture."""
_PEOPLE, _HEAD_LABEL, _LEAST_SCORE, _MOST_HEADS = "people-shop-480", 7, 0.3, 2


@dataclass(frozen=True)
class Trial:
    """Pictures and the heads in them.

    Attributes:
        pictures: (N, H, W, 3) u8 BGR, of the model's size.
        boxes: (M, 4) f32 x1, y1, x2, y2 in fractions of the picture; empty for detectors.
        rows: (M,) i64 the picture of each box, rising.
    """

    pictures: Array
    boxes: Array
    rows: Array

    def of(self, row: int) -> Trial:
        """Return one of the pictures with its heads."""
        boxes = self.boxes[self.rows == row]
        return Trial(self.pictures[row : row + 1], boxes, np.zeros(len(boxes), np.int64))


def made_up(size_wh: tuple[int, int], count: int, seed: int = 0) -> Trial:
    """Return pictures of coarse patches under noise, with heads at any place; the same for the same seed."""
    import cv2

    rng = np.random.default_rng(seed)
    patches = rng.integers(0, 256, (count, 9, 12, 3), np.uint8)
    coarse = np.stack([cv2.resize(patch, size_wh, interpolation=cv2.INTER_LINEAR) for patch in patches])
    noise = rng.integers(-40, 41, coarse.shape, np.int16)
    pictures = np.clip(coarse.astype(np.int16) + noise, 0, 255).astype(np.uint8)
    boxes = made_up_boxes(rng, count * _HEADS)
    return Trial(pictures, boxes, np.repeat(np.arange(count), _HEADS))


def made_up_boxes(rng: np.random.Generator, count: int) -> Array:
    """Return (count, 4) f32 boxes the size of heads."""
    sides = rng.uniform(*_HEAD_SIDES, (count, 2))
    corners = rng.uniform(0, 1, (count, 2)) * (1 - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


def of_clips(clips: Sequence[Path], size_wh: tuple[int, int], recipe: PictureRecipe, count: int, root: Path) -> Trial:
    """Return frames of clips, evenly spaced in each, with the heads that the shipped detector finds in them.

    A frame in which it finds none has two heads at made-up places, so that each frame is tried.

    Args:
        clips: video files.
        size_wh: of the model's input, pixels.
        recipe: how pictures are brought to that size.
        count: frames over all clips.
        root: the checkout.

    Raises:
        SourceError: a clip cannot be read, or has no frames.
    """
    from pipeline.av_pictures import PictureMaker
    from pipeline.pictures import letterboxed, resized

    pictures, heads, rng = [], [], np.random.default_rng(0)
    find = _head_finder(root)
    for k, clip in enumerate(clips):
        share = count // len(clips) + (k < count % len(clips))
        for frame in _spread(clip, share):
            picture = PictureMaker().picture(frame)
            if recipe.fit == "letterbox":
                pictures.append(letterboxed(picture, size_wh, "bgr", recipe.fill, recipe.shrink))
            else:
                pictures.append(resized(picture, size_wh, "bgr", recipe.shrink))
            found = find(picture)
            heads.append(found if len(found) else made_up_boxes(rng, _HEADS))
    rows = np.repeat(np.arange(len(heads)), [len(found) for found in heads])
    return Trial(np.stack(pictures), np.concatenate(heads), rows)


def _spread(clip: Path, count: int) -> list[VideoFrame]:
    """Return `count` frames, or all where there are fewer, at equal distances from the first on."""
    from av.error import FFmpegError

    from pipeline.containers import open_file, video_stream

    kept: list[VideoFrame] = []
    step, seen = 1, 0
    with open_file(str(clip)) as container:
        try:
            for frame in container.decode(video_stream(container, str(clip))):
                if seen % step == 0:
                    kept.append(frame)
                if len(kept) == 2 * count:  # the clip is longer than was thought: every other one
                    kept, step = kept[::2], 2 * step
                seen += 1
                if seen == _MOST_FRAMES:
                    break
        except FFmpegError as error:
            if not kept:
                raise SourceError(f"clip {clip}: expected frames, got {error}; give another one") from error
    if not kept:
        raise SourceError(f"clip {clip}: expected frames, got none; give another one")
    return kept[:: max(1, len(kept) // count)][:count]


def _head_finder(root: Path) -> HeadFinder:
    from pipeline.device_cpu import CpuDevice
    from pipeline.pictures import resized
    from pipeline.session import open_session

    session = open_session(_PEOPLE, CpuDevice(1), root)
    size_wh = session.card.input_size_wh or (1, 1)
    (name,), (output,) = session.inputs, session.outputs

    def find(picture: Picture) -> Array:
        planes = resized(picture, size_wh, "bgr").transpose(2, 0, 1)[None].astype(np.float32)
        rows = session.run({name: planes})[output][0]
        rows = rows[(rows[:, 0] == _HEAD_LABEL) & (rows[:, 5] >= _LEAST_SCORE)]
        rows = rows[np.argsort(-rows[:, 5], kind="stable")][:_MOST_HEADS]
        return np.asarray(np.clip(rows[:, 1:5], 0, 1), np.float32)

    return find
