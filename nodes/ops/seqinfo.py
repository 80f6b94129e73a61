"""Read `seqinfo.ini`, which says of a MOTChallenge sequence how fast, how large and how long it is."""

from __future__ import annotations

import configparser
import math
from dataclasses import dataclass
from pathlib import Path

from nodes.ops.mot_text import MAX_FRAME

NAME = "seqinfo.ini"
MAX_FPS = 10_000.0
MAX_SIDE_PX = 100_000
_MAX_BYTES = 100_000
_SECTION = "Sequence"


@dataclass(frozen=True)
class SeqInfo:
    """What is known of a sequence; None where the file does not say."""

    fps: float | None = None
    size_wh: tuple[int, int] | None = None
    """Of the picture, pixels."""
    frames: int | None = None


def find_seqinfo(boxes: Path) -> Path | None:
    """Return the `seqinfo.ini` beside a file of boxes or one folder above (boxes may stand in `det/` or `gt/`)."""
    folder = boxes.absolute().parent
    return next((path for path in (folder / NAME, folder.parent / NAME) if path.is_file()), None)


def read_seqinfo(path: Path) -> SeqInfo:
    """Read what is known of a sequence.

    Raises:
        OSError: the file cannot be read.
        ValueError: it says something that cannot be; names file and key.
    """
    with path.open("rb") as file:
        content = file.read(_MAX_BYTES + 1)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if len(content) > _MAX_BYTES:
            raise ValueError(f"more than {_MAX_BYTES} bytes")
        parser.read_string(content.decode("utf-8-sig"))
        section = parser[_SECTION]
    except (ValueError, KeyError, configparser.Error) as error:
        got = " ".join(str(error).split())
        raise ValueError(f"{path}: expected a section [{_SECTION}], got: {got}; correct or remove the file") from error
    width = _value(path, section, "imWidth", MAX_SIDE_PX, whole=True)
    height = _value(path, section, "imHeight", MAX_SIDE_PX, whole=True)
    frames = _value(path, section, "seqLength", MAX_FRAME, whole=True)
    return SeqInfo(
        fps=_value(path, section, "frameRate", MAX_FPS),
        size_wh=(int(width), int(height)) if width and height else None,
        frames=int(frames) if frames else None,
    )


def _value(path: Path, section: configparser.SectionProxy, key: str, most: float, whole: bool = False) -> float | None:
    text = section.get(key)
    if text is None:
        return None
    try:
        value = float(text) if "_" not in text else math.nan
    except ValueError:
        value = math.nan
    if 0 < value <= most and not (whole and value % 1):
        return value
    kind = "a whole number" if whole else "a number"
    wanted = f"expected {kind} above 0, at most {most:.0f}"
    raise ValueError(f"{path}: {key}: {wanted}, got {text[:60]!r}; correct or remove the line")
