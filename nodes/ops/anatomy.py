"""How a body is built: where its parts are, how large they are, and which joints a bone joins.

Lengths are shares of the stature, after Drillis & Contini, "Body Segment Parameters", 1966 (as in Winter, "Biomechanics
and Motor Control of Human Movement", 4th ed., fig. 4.1); those of the trunk's middle, which they lack, are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from nodes.ops.wholebody import NAMES

HEAD_HEIGHTS = 7.0
"""Stature in heights of a head with hair."""


@dataclass(frozen=True)
class Bone:
    """A line between two joints."""

    parent: int
    child: int
    per_parent: int
    """Children that one parent joint may have."""
    length: float
    """In statures."""


def _bone(parent: str, child: str, per_parent: int, length: float) -> Bone:
    return Bone(NAMES.index(parent), NAMES.index(child), per_parent, length)


BONES = (
    _bone("collarbone", "shoulder", 2, 0.129),
    _bone("collarbone", "solar_plexus", 1, 0.11),
    _bone("shoulder", "elbow", 1, 0.186),
    _bone("shoulder", "hip_joint", 1, 0.288),
    _bone("elbow", "wrist", 1, 0.146),
    _bone("solar_plexus", "abdomen", 1, 0.11),
    _bone("abdomen", "hip_joint", 2, 0.13),
    _bone("hip_joint", "knee", 1, 0.245),
    _bone("knee", "ankle", 1, 0.246),
)
"""The edges of the whole-body demos."""
LIMBS = (*BONES, _bone("wrist", "hand", 1, 0.06), _bone("ankle", "foot", 1, 0.08))
"""What a part of a body hangs on; parents have lower labels than their children."""


@dataclass(frozen=True)
class Part:
    """What is expected of a part of a body, or of a head."""

    most: int
    """How many of them a person has."""
    place: tuple[float, float]
    """Beside, and below, the centre of the head: statures. Of parts of heads 0: their place is the head."""
    spread: tuple[float, float]
    """How far from its place it is often found: statures, or sides of a head."""
    size: tuple[float, float] | None = None
    """Longer side, from and to: statures, or sides of a head. None of joints, whose boxes only stand for points."""


BODY_PARTS = {
    NAMES.index(name): part
    for name, part in {
        "collarbone": Part(1, (0.0, 0.115), (0.1, 0.08)),
        "shoulder": Part(2, (0.1, 0.12), (0.1, 0.08)),
        "solar_plexus": Part(1, (0.0, 0.22), (0.1, 0.1)),
        "elbow": Part(2, (0.15, 0.3), (0.12, 0.12)),
        "wrist": Part(2, (0.15, 0.43), (0.18, 0.2)),
        "hand": Part(2, (0.15, 0.48), (0.2, 0.22), (0.03, 0.16)),
        "abdomen": Part(1, (0.0, 0.33), (0.1, 0.12)),
        "hip_joint": Part(2, (0.07, 0.4), (0.1, 0.12)),
        "knee": Part(2, (0.08, 0.62), (0.15, 0.18)),
        "ankle": Part(2, (0.08, 0.85), (0.18, 0.22)),
        "foot": Part(2, (0.08, 0.88), (0.2, 0.22), (0.03, 0.2)),
    }.items()
}
"""Of bodies, by label: as somebody stands, with room for who sits, reaches or is seen from above."""
HEAD_PARTS = {
    NAMES.index(name): part
    for name, part in {
        "face": Part(1, (0.0, 0.0), (0.4, 0.4), (0.4, 1.1)),
        "eye": Part(2, (0.0, 0.0), (0.5, 0.5), (0.04, 0.4)),
        "nose": Part(1, (0.0, 0.0), (0.5, 0.5), (0.06, 0.45)),
        "mouth": Part(1, (0.0, 0.0), (0.5, 0.5), (0.06, 0.5)),
        "ear": Part(2, (0.0, 0.0), (0.6, 0.6), (0.06, 0.5)),
    }.items()
}
"""Of heads, by label."""
