"""Frames of somebody's own footage, evenly spread in time, each with the frames a moment before and after it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

logger = logging.getLogger(__name__)

Pictures = NDArray[Any]
Packed = NDArray[np.uint8]

CLIPS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm")
STILLS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
KEPT_WH = (640, 384)
"""Frames are kept at this size, whatever their shape: no teacher reads them larger."""
SHARP_WH = (1280, 768)
"""Frames of larger cameras are kept at this size, too, packed: training shows parts of them, and so larger heads."""
_SHARP_QUALITY = 95
BESIDE_S = 0.2
"""So long before and after a frame people are still about where they were, and what flickers is gone."""
_SLACK_S = 0.001


@dataclass(frozen=True)
class Sample:
    """One frame of footage."""

    clip: str
    """The file of a clip, or the folder of a still, relative to the footage."""
    at_s: float
    """Time in the clip; of a still its number in its folder."""
    part: float
    """How far into the clip, or the folder, 0 to 1."""
    picture: Pictures
    """(384, 640, 3) u8 BGR."""
    beside: tuple[Pictures, ...] = ()
    """The frames `BESIDE_S` before and after, as far as there are such; none of a still."""
    aspect: float = KEPT_WH[0] / KEPT_WH[1]
    """Width of the frame over its height, as it was filmed."""
    sharp: Packed | None = None
    """The same frame as a JPEG of `SHARP_WH`; none where it is no sharper than `picture`."""

    def shown_sharp(self) -> Pictures:
        """Return the frame as sharp as it is kept, (768, 1280, 3) or (384, 640, 3) u8 BGR."""
        return self.picture if self.sharp is None else np.asarray(cv2.imdecode(self.sharp, cv2.IMREAD_COLOR))


@dataclass
class _Wanted:
    """A frame that is being collected."""

    part: float
    times_s: tuple[float, float, float]
    """Before, itself, after."""
    found: dict[int, Pictures] = field(default_factory=dict)
    aspect: float = 0.0
    sharp: Packed | None = None


def files_of(folder: Path) -> tuple[list[Path], dict[str, list[Path]]]:
    """Return the clips of a folder and the folders within it, and the stills by their folder, all sorted.

    Raises:
        ConfigError: there is no such folder, or nothing in it that is read here.
    """
    if not folder.is_dir():
        raise ConfigError(f"--footage {str(folder)!r}: expected a folder, got none there; name the one with your clips")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise ConfigError(
            f"--footage {str(folder)!r}: expected clips or stills, got an empty folder; copy some into it"
        )
    clips = [path for path in files if path.suffix.lower() in CLIPS]
    stills: dict[str, list[Path]] = {}
    for path in files:
        if path.suffix.lower() in STILLS:
            stills.setdefault(path.relative_to(folder).parent.as_posix(), []).append(path)
    others = sorted({path.suffix or path.name for path in files} - {path.suffix for path in clips} - _suffixes(stills))
    if not clips and not stills:
        raise ConfigError(
            f"--footage {str(folder)!r}: expected clips ({' '.join(CLIPS)}) or stills ({' '.join(STILLS)}), got only "
            f"{' '.join(others)}; convert them"
        )
    if others:
        logger.info("%s: not read: files that end in %s", folder, " ".join(others))
    return clips, stills


def samples(folder: Path, per_second: float, most: int) -> Iterator[Sample]:
    """Read footage one frame after another, clip by clip in order of time, then stills.

    Args:
        folder: clips and stills, also in folders within it.
        per_second: frames taken of a second of a clip.
        most: frames of a clip, and stills of a folder; of more, so many, evenly spread.

    Raises:
        ConfigError: nothing to read, or a file that cannot be read, by name.
    """
    clips, stills = files_of(folder)
    for path in clips:
        yield from of_clip(path, path.relative_to(folder).as_posix(), per_second, most)
    for name, paths in stills.items():
        chosen = [paths[k] for k in spread(len(paths), most)]
        for number, path in enumerate(chosen):
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise ConfigError(f"{path}: expected a picture, got a file that cannot be read; remove or mend it")
            part, aspect = (number + 0.5) / len(chosen), picture.shape[1] / picture.shape[0]
            yield Sample(name, float(number), part, kept(picture), aspect=aspect, sharp=kept_sharp(picture))


def spread(count: int, most: int) -> list[int]:
    """Return at most `most` of the numbers 0 to count - 1, evenly spread."""
    taken = min(count, most)
    return [int((k + 0.5) * count / taken) for k in range(taken)]


def of_clip(path: Path, name: str, per_second: float, most: int) -> Iterator[Sample]:
    """Read a clip.

    Raises:
        ConfigError: it cannot be read, or holds no picture.
    """
    import av

    try:
        with av.open(str(path)) as container:
            first_s, last_s = _extent_s(container)
        step_s = max(1.0 / per_second, (last_s - first_s) / most)
        count = max(1, round((last_s - first_s) / step_s))
        middles = [(k + 0.5) * (last_s - first_s) / count for k in range(count)]
        with av.open(str(path)) as container:
            yield from _collected(container, name, first_s, middles)
    except (av.error.FFmpegError, IndexError) as error:
        raise ConfigError(
            f"{path}: expected a clip with pictures that can be decoded, got {error}; remove it, or convert it to .mp4"
        ) from error


def kept(picture: Pictures) -> Pictures:
    """Return a picture at the size that is kept."""
    return _resized(picture, KEPT_WH)


def kept_sharp(picture: Pictures) -> Packed | None:
    """Return a picture that is larger than the size that is kept as a JPEG of `SHARP_WH`, else none."""
    if picture.shape[1] <= KEPT_WH[0]:
        return None
    quality = [cv2.IMWRITE_JPEG_QUALITY, _SHARP_QUALITY]
    return np.asarray(cv2.imencode(".jpg", _resized(picture, SHARP_WH), quality)[1], np.uint8)


def _resized(picture: Pictures, size_wh: tuple[int, int]) -> Pictures:
    shrinks = picture.shape[1] > size_wh[0]
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _extent_s(container: Any) -> tuple[float, float]:
    """Return the times of the first and the last picture by their packets; what headers say may be missing or wrong."""
    stream = container.streams.video[0]
    times = [packet.pts for packet in container.demux(stream) if packet.pts is not None]
    if not times:
        raise IndexError("no picture")
    base = float(stream.time_base)
    return min(times) * base, max(times) * base


def _collected(container: Any, name: str, first_s: float, middles: list[float]) -> Iterator[Sample]:
    """Decode a clip and give out each wanted frame once those beside it are there, too."""
    stream = container.streams.video[0]
    parts = (np.arange(len(middles)) + 0.5) / len(middles)
    open_ones = [
        _Wanted(float(part), (at_s - BESIDE_S, at_s, at_s + BESIDE_S))
        for part, at_s in zip(parts, middles, strict=True)
    ]
    for frame in container.decode(stream):
        if not open_ones:
            return
        if frame.time is None:
            continue
        now_s = float(frame.time) - first_s + _SLACK_S
        whole: Pictures | None = None
        aspect = frame.height / frame.width if frame.rotation % 180 else frame.width / frame.height
        for wanted in open_ones:
            if wanted.times_s[0] > now_s:
                break
            for role, at_s in enumerate(wanted.times_s):
                if role not in wanted.found and 0.0 <= at_s <= now_s:
                    if whole is None:
                        whole = _upright(frame)
                        picture = kept(whole)
                    wanted.found[role], wanted.aspect = picture, aspect
                    if role == 1:
                        wanted.sharp = kept_sharp(whole)
        while open_ones and 2 in open_ones[0].found:
            yield _sample(name, open_ones.pop(0))
    yield from (_sample(name, wanted) for wanted in open_ones if 1 in wanted.found)


def _upright(frame: Any) -> Pictures:
    """Return a frame as BGR, turned as its clip says it was held."""
    return np.rot90(frame.to_ndarray(format="bgr24"), round(frame.rotation / 90))


def _sample(name: str, wanted: _Wanted) -> Sample:
    beside = tuple(wanted.found[role] for role in (0, 2) if role in wanted.found)
    return Sample(name, wanted.times_s[1], wanted.part, wanted.found[1], beside, wanted.aspect, wanted.sharp)


def _suffixes(stills: dict[str, list[Path]]) -> set[str]:
    return {path.suffix for paths in stills.values() for path in paths}
