"""Values of any kind with made-up content, for tests that hold for all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from nodes.ops.wholebody import NAMES
from nodes.types import CameraMotion, Parts, TrackedParts, Visits
from pipeline.frames import FrameBatch
from pipeline.values import Value, columns, items

MAP_HW = (8, 8)
PEOPLE = 4
SAID = {
    "target": ("shelf", "shelf", "shelf", "person:1", ""),
    "to": ("door",),
    "kind": ("started", "ended"),
    "id": ("x/ended",),
    "visit": ("x",),
    "reason": ("looked_away",),
    "replaces": ("", "y"),
    "label": ("bottle",),
    "measure": ("watchers.1",),
    "span": ("window",),
}
"""What may stand in columns of names."""
PARTS = [NAMES.index(name) for name in ("body", "body_with_wheelchair", "body_with_crutches", "head", "face")]
PARTS += [NAMES.index(name) for name in ("shoulder", "elbow", "wrist", "hand", "knee", "ankle", "foot")]
"""Labels that each person has a part of."""


def made_up(kind: type[Value], frame: FrameBatch, rng: np.random.Generator) -> Any:
    """Return a value of one frame with content that the names of its columns allow."""
    ids = np.sort(rng.choice(np.arange(1, PEOPLE + 1), rng.integers(2, PEOPLE + 1), replace=False))
    count = 1 if kind is CameraMotion else len(ids)
    labels = np.repeat(PARTS, len(ids))
    if kind in (Parts, TrackedParts):
        count, ids = len(labels), np.tile(ids, len(PARTS))
    now_ns = int(frame.pts_ns[0])
    content: dict[str, Any] = {}
    for spec in columns(kind):
        name = spec.name
        if "names" in spec.metadata:
            some = {**SAID, "stream_id": frame.stream_id}[name]
            if (kind, name) == (Visits, "target"):
                some = tuple(filter(None, some))  # nobody visits nothing
            content[name] = tuple(some[int(k)] for k in rng.integers(len(some), size=count))
            continue
        shape = (count, *(extent or MAP_HW[0] for extent in spec.metadata["shape"]))
        dtype = spec.metadata["dtype"]
        if name == "track_id":
            content[name] = ids
        elif name == "label":
            content[name] = labels
        elif name == "sequence":
            content[name] = now_ns + np.arange(count)
        elif name.endswith("_ns"):
            content[name] = np.full(count, now_ns if name == "known_ns" else now_ns // 2)
        elif name.endswith("box"):
            low = rng.random((count, 2)) * 0.6
            content[name] = np.concatenate([low, low + 0.05 + 0.3 * rng.random((count, 2))], axis=1)
            if name != "box":  # of a person, who may be seen without it
                content[name][rng.random(count) < 0.2] = np.nan
        elif name == "labels":
            content[name] = rng.choice(PARTS, shape)
        elif dtype == np.bool_:
            content[name] = rng.random(shape) < 0.5
        elif dtype.kind == "i":
            content[name] = np.zeros(shape)
        elif name == "appearance":
            content[name] = rng.random(shape) - 0.5
            content[name] /= np.linalg.norm(content[name], axis=1, keepdims=True)
            content[name][rng.random(count) < 0.2] = 0
        elif name == "affine":
            content[name] = np.eye(2, 3) + 0.01 * (rng.random(shape) - 0.5)
        else:
            content[name] = rng.random(shape) * (180 if name.endswith("_deg") else 1)
        content[name] = content[name].astype(dtype)
    return frozen(kind(**content))


def frozen(value: Any) -> Any:
    """Return a value whose arrays refuse to be written to."""
    for _, content in items(value):
        if isinstance(content, np.ndarray):
            content.flags.writeable = False
    return value
