"""Write a clip as H.264 video with its truth beside it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenes import VERSION
from scenes.clip import Clip, ClipFrame
from scenes.truth import FACES, PeopleTruth, no_people

_TICKS_PER_S = 90_000


def truth_path(video: Path) -> Path:
    """Return where the truth of a video lies: `clip.mp4` has `clip.truth.json`."""
    return video.with_suffix(".truth.json")


def write_clip(clip: Clip, video: Path, *, quality: int = 21) -> Path:
    """Render a clip into a video file and its truth; return the truth's path.

    Args:
        clip: what to render.
        video: an `.mp4` file; replaced if it is there.
        quality: H.264 rate factor; 6 more halve the file.

    Raises:
        ValueError: if the file is not called `.mp4` or a side of the picture is odd.
    """
    import av

    if video.suffix != ".mp4":
        raise ValueError(f"write_clip: expected a file that ends in .mp4, got {str(video)!r}")
    if clip.size_wh[0] % 2 or clip.size_wh[1] % 2:
        raise ValueError(f"write_clip: expected an even size, got {clip.size_wh!r}; H.264 stores colour by 2 x 2")
    rows = []
    with av.open(str(video), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(clip.fps).limit_denominator(1001))
        stream.width, stream.height = clip.size_wh
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _TICKS_PER_S)
        stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        stream.codec_context.thread_count = 1
        stream.codec_context.gop_size = max(1, round(2 * clip.fps))
        # without mbtree: with it, x264 writes other bytes from run to run
        stream.options = {"crf": str(quality), "preset": "medium", "x264-params": "mbtree=0"}
        for made in clip.frames():
            frame = av.VideoFrame.from_ndarray(made.bgr, format="bgr24")
            frame.pts = round(made.pts_ns * _TICKS_PER_S / 1e9)
            frame.time_base = Fraction(1, _TICKS_PER_S)
            container.mux(stream.encode(frame))
            rows.append(_frame_row(made))
        container.mux(stream.encode(None))
    path = truth_path(video)
    path.write_text(_compact(_truth(clip, rows)), encoding="utf-8")
    return path


def read_truth(path: Path) -> dict[str, Any]:
    """Read a truth file: seed, version, size_wh, fps, seconds, place, aois, fixations and frames.

    Each row of `frames` has `pts_ns` and `people` (a `PeopleTruth`).
    """
    truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for row in truth["frames"]:
        row["people"] = _people(row["people"])
    return truth


def _truth(clip: Clip, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "seed": clip.seed,
        "version": VERSION,
        "size_wh": list(clip.size_wh),
        "fps": clip.fps,
        "seconds": clip.seconds,
        "place": clip.place.kind,
        "aois": [{"name": aoi.name, "polygon": _rounded(aoi.polygon)} for aoi in clip.aois],
        "fixations": [
            {
                "person_id": fixation.person_id,
                "target": fixation.target,
                "kind": fixation.kind,
                "start_s": round(fixation.start_s, 6),
                "end_s": round(fixation.end_s, 6),
            }
            for fixation in clip.fixations
        ],
        "frames": rows,
    }


def _frame_row(frame: ClipFrame) -> dict[str, Any]:
    people = frame.people
    columns: dict[str, Any] = {
        name: _rounded(getattr(people, name))
        for name in PeopleTruth.__dataclass_fields__
        if name != "looked_at" and name not in FACES
    }
    return {"pts_ns": frame.pts_ns, "people": {**columns, "looked_at": list(people.looked_at)}}


def _people(columns: dict[str, Any]) -> PeopleTruth:
    count = len(columns["person_id"])
    arrays: dict[str, NDArray[Any]] = {}
    for name, empty in vars(no_people()).items():
        if name in FACES:
            arrays[name] = np.full((count, *empty.shape[1:]), np.nan)
        elif name != "looked_at":
            arrays[name] = np.array(columns[name], empty.dtype).reshape(count, *empty.shape[1:])
    return PeopleTruth(**arrays, looked_at=tuple(columns["looked_at"]))


def _rounded(array: NDArray[Any]) -> list[Any]:
    """Return nested lists: numbers to six places, null for nan."""
    if array.dtype.kind != "f":
        listed: list[Any] = array.tolist()
        return listed
    rounded = np.round(array, 6).astype(object)
    rounded[np.isnan(array)] = None
    nested: list[Any] = rounded.tolist()
    return nested


def _compact(truth: dict[str, Any]) -> str:
    """Write one area, one fixation and one frame per line."""
    entries = []
    for name, value in truth.items():
        if name in ("aois", "fixations", "frames"):
            lines = ",\n  ".join(json.dumps(row, separators=(",", ":")) for row in value)
            entries.append(f'"{name}": [\n  {lines}\n ]')
        else:
            entries.append(f'"{name}": {json.dumps(value)}')
    return "{\n " + ",\n ".join(entries) + "\n}\n"
