"""Named sets of clips: frozen seeds and the figures published with them.

Training draws stills and crops and no clip at all; the seeds of clips are a stream of their own, so no benchmark scene
has ever been trained on.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from scenes import VERSION
from scenes.clip import Clip, make_clip
from scenes.style import FULL, PLAIN, Style
from scenes.truth import FACES, TARGET_KINDS, PeopleTruth

LEAST_VISIBLE = 0.3
"""Heads and bodies of which less is visible are not counted."""
SMALL_HEAD_PX = 24
"""At a frame width of 480 px."""
BEHIND = (3, 4, 5)
"""Directions that show the back of the head."""


@dataclass(frozen=True)
class NamedSet:
    """Clips that everybody who names the set gets."""

    name: str
    version: str
    """Version of `scenes` the statistics were taken with."""
    seeds: tuple[int, ...]
    seconds: float
    fps: float
    size_wh: tuple[int, int]
    statistics: dict[str, float]
    """As `statistics` returned them when the set was published; empty: never published."""
    style: Style = PLAIN

    def clip(self, seed: int) -> Clip:
        """Make the clip of one of the seeds."""
        return make_clip(seed, seconds=self.seconds, fps=self.fps, size_wh=self.size_wh, style=self.style)

    def clips(self) -> Iterator[Clip]:
        """Make the clips, one at a time."""
        return (self.clip(seed) for seed in self.seeds)


BENCH_1 = NamedSet(
    name="bench-1",
    version="1",
    seeds=tuple(range(9_000_022, 9_000_034)),
    seconds=8.0,
    fps=12.5,
    size_wh=(480, 288),
    statistics={
        "frames": 1200,
        "heads": 2753,
        "head_px_p50": 32.85,
        "heads_under_24px": 0.304,
        "heads_from_behind": 0.5336,
        "targets_on_surface": 0.3672,
        "targets_in_frame": 0.7588,
    },
)

BENCH_2 = NamedSet(
    name="bench-2",
    version="1",
    seeds=tuple(range(9_000_100, 9_000_112)),
    seconds=10.0,
    fps=12.5,
    size_wh=(480, 288),
    statistics={
        "frames": 1500,
        "heads": 5401,
        "head_px_p50": 27.4,
        "heads_under_24px": 0.3929,
        "heads_from_behind": 0.6256,
        "targets_on_surface": 0.2205,
        "targets_in_frame": 0.9132,
    },
    style=FULL,
)
"""Everything that scenes can show, and people who came to look at things; seeds taken before any model saw them."""

SETS = {"bench-1": BENCH_1, "bench-2": BENCH_2}


def named_set(name: str) -> NamedSet:
    """Return a set by name.

    Raises:
        ValueError: if there is none, or if it was published with another version of the scenes.
    """
    if name not in SETS:
        raise ValueError(f"scenes: expected a set among {', '.join(sorted(SETS))}, got {name!r}")
    found = SETS[name]
    if found.version != VERSION:
        raise ValueError(
            f"scenes: set {name!r} was published with version {found.version!r} of the scenes, this is {VERSION!r};"
            " check out the commit that published it"
        )
    return found


def seed_set(text: str, *, seconds: float = 8.0, fps: float = 12.5, size_wh: tuple[int, int] = (480, 288)) -> NamedSet:
    """Return a set of one's own from seeds written as `9001-9010` or `7,9,12-14`, after a style as in `full:7,9`.

    Without a style scenes are plain; styles are those of `Style.parse`.

    Raises:
        ValueError: if the text says something else.
    """
    seeds: list[int] = []
    style, _, numbers = text.rpartition(":")
    for part in numbers.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
            raise ValueError(f"scenes: expected seeds such as '9001-9010', '7,9' or 'full:7,9', got {text!r}")
        seeds.extend(range(int(match[1]), int(match[2] or match[1]) + 1))
    return NamedSet(text, VERSION, tuple(seeds), seconds, fps, size_wh, {}, Style.parse(style or "plain"))


def fingerprint(frames: Iterable[PeopleTruth]) -> str:
    """Return a hash of the truth of some frames, every number rounded to a millionth."""
    digest = hashlib.sha256()
    for people in frames:
        for name, value in vars(people).items():
            if name in FACES:
                continue
            if name == "looked_at":
                digest.update(json.dumps(value).encode())
            else:
                # Adding zero turns -0.0 into 0.0.
                digest.update((np.round(value.astype("<f8"), 6) + 0.0).tobytes())
    return digest.hexdigest()


def statistics(frames: Iterable[PeopleTruth], size_wh: tuple[int, int]) -> dict[str, float]:
    """Return what a set's frames hold, heads counted from `LEAST_VISIBLE` on.

    Head sizes are heights in pixels of a frame that is 480 px wide.
    """
    count, heights, directions, kinds, inside = 0, [], [], [], []
    for people in frames:
        count += 1
        seen = people.head_visible >= LEAST_VISIBLE
        sides = people.head_box[seen]
        heights.append((sides[:, 3] - sides[:, 1]) * size_wh[1] * 480 / size_wh[0])
        directions.append(people.direction[seen])
        kinds.append(people.target_kind[seen])
        inside.append(people.in_frame[seen])
    head_px, direction, kind = np.concatenate(heights), np.concatenate(directions), np.concatenate(kinds)
    if not len(head_px):
        return {"frames": float(count), "heads": 0.0}
    return {
        "frames": float(count),
        "heads": float(len(head_px)),
        "head_px_p50": round(float(np.median(head_px)), 2),
        "heads_under_24px": round(float(np.mean(head_px < SMALL_HEAD_PX)), 4),
        "heads_from_behind": round(float(np.mean(np.isin(direction, BEHIND))), 4),
        "targets_on_surface": round(float(np.mean(kind == TARGET_KINDS.index("surface"))), 4),
        "targets_in_frame": round(float(np.mean(np.concatenate(inside))), 4),
    }
