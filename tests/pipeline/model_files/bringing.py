"""Bring a file in a world in which waiting takes no time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import PipelineError
from pipeline.model_files.held_part import HeldPart
from pipeline.model_files.transfer import Asked, Means, bring
from tests.pipeline.model_files.web import Web

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several blocks
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MOST = 1 << 24


class Around:
    """A world in which waiting takes no time."""

    def __init__(self, **changed: Any) -> None:
        self.waited: list[float] = []
        self.seen: list[tuple[int, int | None]] = []
        self.means = Means(
            sleep=self.waited.append,
            progress=lambda name, done, total: self.seen.append((done, total)),
            **{"timeout_s": 5.0, **changed},
        )


def brought(url: str, place: Path, around: Around | None = None, **asked: Any) -> str:
    with HeldPart(place, lambda: None) as part:
        got = bring(Asked(url, **{"most_bytes": MOST, **asked}), part, (around or Around()).means)
        part.finish()
    return got


def refusal(url: str, place: Path, around: Around | None = None, **asked: Any) -> str:
    with pytest.raises(PipelineError) as caught:
        brought(url, place, around, **asked)
    return str(caught.value)


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


def given_up(site: Web, place: Path, **how: Any) -> str:
    """Have a fetch fail half-way, and leave its part."""
    site.serve("net.onnx", CONTENT, cuts=[300_000, 0, 0, 0, 0], **how)
    told = refusal(site.url("net.onnx"), place)
    site.asked.clear()
    return told
