"""Clips of a set as video files with their truth: rendered once, used again while the scenes are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.results import ROOT
from pipeline.errors import ConfigError
from pipeline.outputs import make_folder
from pipeline.streams import Area
from scenes.clip import Clip
from scenes.files import read_truth, truth_path, write_clip
from scenes.sets import NamedSet, statistics
from scenes.style import PLAIN
from scenes.truth import Fixation, PeopleTruth

QUALITY = 12
"""H.264 rate factor of the clips: a real codec, losses nobody sees."""


@dataclass(frozen=True)
class TrueClip:
    """A video file and what is known of it."""

    seed: int
    video: Path
    size_wh: tuple[int, int]
    aois: dict[str, Area]
    fixations: tuple[Fixation, ...]
    """What its people look at by the script they were rendered from."""
    frames: tuple[PeopleTruth, ...]


def true_clips(chosen: NamedSet, folder: Path) -> Iterator[TrueClip]:
    """Yield the clips of a set, rendering those that are not in the folder yet.

    Args:
        chosen: the set.
        folder: below it, each version of the scenes gets a folder of its own.
    """
    place = make_folder(folder / _digest_of_scenes())
    width, height = chosen.size_wh
    for seed in chosen.seeds:
        style = "" if chosen.style == PLAIN else f"-{chosen.style}"
        video = place / f"{seed}-{width}x{height}-{chosen.fps:g}fps-{chosen.seconds:g}s{style}.mp4"
        if not truth_path(video).exists():
            _render(chosen.clip(seed), video)
        truth = read_truth(truth_path(video))
        yield TrueClip(
            seed=seed,
            video=video,
            size_wh=chosen.size_wh,
            aois={aoi["name"]: Area(polygon=aoi["polygon"]) for aoi in truth["aois"]},
            fixations=tuple(Fixation(**fixation) for fixation in truth["fixations"]),
            frames=tuple(row["people"] for row in truth["frames"]),
        )


def check_published(chosen: NamedSet, clips: list[TrueClip]) -> dict[str, float]:
    """Return the statistics of the clips of a set.

    Raises:
        ConfigError: the set was published with others, so that its figures would compare with nothing.
    """
    found = statistics((people for clip in clips for people in clip.frames), chosen.size_wh)
    if chosen.statistics and found != chosen.statistics:
        raise ConfigError(
            f"set {chosen.name!r}: expected the statistics it was published with, {chosen.statistics}, got {found}; "
            "the scenes are drawn otherwise: undo that, or publish a new set under another name"
        )
    return found


def _render(clip: Clip, video: Path) -> None:
    """Write the truth under its name last: where it is, the video is whole."""
    begun = video.with_name(f"begun-{video.name}")
    write_clip(clip, begun, quality=QUALITY)
    begun.rename(video)
    truth_path(begun).rename(truth_path(video))


def _digest_of_scenes() -> str:
    """Return a hash of what draws clips; what a set asks for is in the names of its files."""
    digest = hashlib.sha256(str(QUALITY).encode())
    for path in sorted((ROOT / "scenes").glob("*.py")):
        if path.name == "sets.py":
            continue
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]
