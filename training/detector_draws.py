"""Draw batches for the detector: stills placed, covered and weathered, and what its maps should say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.augment import People, Pictures, cut_out, place, weather
from training.batches import LEAST_BODY_PX, LEAST_HEAD_PX, LEAST_VISIBLE, judged_heads, shaken, still
from training.clutter import heap
from training.data import STILL_WH
from training.detector_loss import ClassTargets, class_targets
from training.draws import Draws
from training.second_look_loss import TrueHeads

SCALE = (0.6, 1.6)
"""How large a picture is shown; 1 fits it to the size of the batch."""
_HEAP_PART = 0.3
_CUT_OUT_PART = 0.2
_TURNED_PART, _USUAL_TURN, _MOST_TURN = 0.35, 0.5, 1.05
MOST_HEADS = 4
"""Heads of one picture whose directions and faces are learnt, as a rule; of a crowd some are drawn. As many of those
that the maps find are looked at again."""
_SMALL_WH = (352, 224)
SIZES_WH = ((320, 192), (416, 256), STILL_WH, STILL_WH, STILL_WH, (640, 384))


class DetectorBatch(NamedTuple):
    """Pictures, what the maps should say of them, and the M heads of which more is learnt, as arrays or tensors."""

    pictures: Any
    """(N, H, W, 3) u8 BGR."""
    targets: list[ClassTargets]
    """Of body and head."""
    all_heads: TrueHeads
    head_boxes: Any
    """(M, 4) f32 fractions, moved a little."""
    head_turn: Any
    """(M,) f32 radians: the square that is cut out about a head is turned by so much, as if the head were tilted."""
    head_rows: Any
    """(M,) i64 picture of each head."""
    vectors: Any
    """(M, 6) f32 head xyz, gaze xyz, of heads as they are seen in turned squares."""
    face_boxes: Any
    """(M, 4) f32 fractions; nan where a head shows no face."""
    face_seen: Any
    """(M,) f32 1 where the face is seen, 0 where it is not, nan where it is hardly seen, turned, or nobody knows."""


@dataclass(frozen=True)
class DetectorDraws:
    """Batches by step."""

    stills: Draws
    batch: int
    steps: int
    seed: int
    most_heads: int = MOST_HEADS
    small_until: float = 0.3
    """Part of the steps, the first ones, with small pictures: in that time boxes are learnt from twice as many."""

    def __call__(self, step: int) -> DetectorBatch:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.seed, 2, step])
        small = step < self.small_until * self.steps
        size_wh = _SMALL_WH if small else SIZES_WH[int(rng.integers(len(SIZES_WH)))]
        numbers = range(step * self.batch, (step + 1) * self.batch)
        return batch_of(
            [altered(*still(*self.stills[k]), size_wh, rng) for k in numbers], size_wh, rng, self.most_heads
        )


def altered(
    picture: Pictures,
    people: People,
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    scale: tuple[float, float] = SCALE,
) -> tuple[Pictures, People]:
    """Return a picture and its people placed at a size, sometimes covered in part, and seen by another camera."""
    picture, people = place(picture, people, size_wh, rng, scale)
    if rng.random() < _HEAP_PART:
        picture, people = heap(picture, people, rng)
    if rng.random() < _CUT_OUT_PART:
        picture, people = cut_out(picture, people, rng)
    return weather(picture, rng), people


def batch_of(
    drawn: list[tuple[Pictures, People]],
    size_wh: tuple[int, int],
    rng: np.random.Generator,
    most_heads: int = MOST_HEADS,
) -> DetectorBatch:
    """Make a batch of altered pictures of one size."""
    pictures, everybody = (list(part) for part in zip(*drawn, strict=True))
    heads = [_heads(people, k, size_wh[1], rng, most_heads) for k, people in enumerate(everybody)]
    learnt = (np.concatenate(part) for part in zip(*heads, strict=True))
    return DetectorBatch(np.stack(pictures), targets_of(everybody, size_wh), all_heads(everybody, size_wh[1]), *learnt)


def all_heads(everybody: list[People], height: int) -> TrueHeads:
    """Return the heads of some pictures of one height."""
    there = [~np.isnan(people.head_box[:, 0]) for people in everybody]
    counts = [int(part.sum()) for part in there]
    parts = list(zip(everybody, there, strict=True))
    return TrueHeads(
        np.concatenate([people.head_box[part] for people, part in parts]),
        np.repeat(np.arange(len(everybody)), counts),
        np.concatenate([judged_heads(people, height)[part] for people, part in parts]),
    )


def targets_of(everybody: list[People], size_wh: tuple[int, int]) -> list[ClassTargets]:
    """Return the targets of body and head of some pictures of one size."""
    return [
        class_targets(boxes, visible, size_wh, least_px)
        for boxes, visible, least_px in (
            ([p.body_box for p in everybody], [p.body_visible for p in everybody], LEAST_BODY_PX),
            ([p.head_box for p in everybody], [p.head_visible for p in everybody], LEAST_HEAD_PX),
        )
    ]


def _heads(people: People, row: int, height: int, rng: np.random.Generator, most: int) -> tuple[NDArray[Any], ...]:
    """Return boxes, rows, vectors and faces of some heads of a picture, of those whose vectors are known."""
    learnt = judged_heads(people, height) & ~np.isnan(people.vectors[:, 0])
    seen = rng.permutation(np.flatnonzero(learnt))[:most]
    moved = shaken(people.head_box[seen], rng)
    turn = _turns(len(seen), rng)
    faces = people.face_box[seen], np.where(turn == 0, _shown(people.face_visible[seen]), np.float32(np.nan))
    return moved, turn, np.full(len(seen), row, np.int64), in_turned(people.vectors[seen], turn), *faces


def _turns(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw by how much squares are turned, radians; most are not."""
    turn = rng.normal(0.0, _USUAL_TURN, count).clip(-_MOST_TURN, _MOST_TURN)
    return np.where(rng.random(count) < _TURNED_PART, turn, 0.0).astype(np.float32)


def in_turned(vectors: NDArray[np.float32], turn: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return vectors (M, 6), xyz twice, as they are seen in squares that are turned clockwise by (M,) radians."""
    x, y, z = vectors.reshape(-1, 2, 3).transpose(2, 0, 1)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return np.stack([x * cos + y * sin, y * cos - x * sin, z], axis=2).reshape(-1, 6)


def _shown(visible: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 for faces that are seen, 0 for those that are not at all, else nan."""
    doubtful = np.where(visible > 0, np.float32(np.nan), visible)
    return np.where(visible >= LEAST_VISIBLE, np.float32(1), doubtful).astype(np.float32)
