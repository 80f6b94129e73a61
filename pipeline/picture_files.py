"""Folders of pictures, read as if they were a video."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import SourceError
from pipeline.frames import Picture

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def picture_files(url: str) -> list[Path]:
    """Return the pictures that a folder holds or a glob fits, 2 before 10; none for anything else.

    Raises:
        SourceError: a folder or glob without pictures; says what there is.
    """
    path = Path(url)
    if path.is_dir():
        found = list(path.iterdir())
    elif not path.exists() and glob.has_magic(url):
        found = [Path(name) for name in glob.glob(url)]
    else:
        return []
    pictures = [file for file in found if file.suffix.lower() in SUFFIXES and file.is_file()]
    if not pictures:
        kinds = sorted({file.suffix.lower() or "no suffix" for file in found if file.is_file()})
        raise SourceError(
            f"{url}: expected pictures ({', '.join(SUFFIXES)}), got {', '.join(kinds) or 'no files'}; give a folder of "
            "pictures, or videos one by one, each as a stream of its own"
        )
    return sorted(pictures, key=_natural)


def read_picture(path: Path) -> Picture | None:
    """Read a picture, turned as its EXIF data say; None when it is damaged or no picture."""
    import cv2

    try:
        content = np.fromfile(path, np.uint8)
        pixels = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    except (OSError, cv2.error):  # OpenCV refuses headers that claim too many pixels
        return None
    return None if pixels is None else Picture((pixels,), "bgr")


def _natural(path: Path) -> tuple[Any, ...]:
    parts = re.split(r"(\d+)", path.name)
    return (*((int(part), "") if part.isdecimal() else (-1, part.lower()) for part in parts), path.name)
