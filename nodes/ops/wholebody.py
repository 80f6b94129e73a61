"""The classes of whole-body detectors, numbered as in DEIMv2-Wholebody34, and which of them say something of others."""

from __future__ import annotations

NAMES = (
    "body", "adult", "child", "male", "female", "body_with_wheelchair", "body_with_crutches", "head", "front",
    "right-front", "right-side", "right-back", "back", "left-back", "left-side", "left-front", "face", "eye", "nose",
    "mouth", "ear", "collarbone", "shoulder", "solar_plexus", "elbow", "wrist", "hand", "hand_left", "hand_right",
    "abdomen", "hip_joint", "knee", "ankle", "foot",
)  # fmt: skip
"""Class names by label; right and left of directions are those of the image."""
BODY, WHEELCHAIR, CRUTCHES, HEAD, FACE, HAND = (
    NAMES.index(name) for name in ("body", "body_with_wheelchair", "body_with_crutches", "head", "face", "hand")
)
ATTRIBUTES = (*NAMES[1:5], *NAMES[8:16], *NAMES[27:29])
"""Classes that say something of a body, a head or a hand, in the order of `Parts.attribute_scores`."""
JOINTS = tuple(
    NAMES.index(name)
    for name in (
        "collarbone", "shoulder", "solar_plexus", "elbow", "wrist", "abdomen", "hip_joint", "knee", "ankle",
    )
)  # fmt: skip
"""Classes whose boxes stand for points."""
SIDES = (NAMES.index("hand_left"), NAMES.index("hand_right"))
"""Attributes that are held to the limit of things, not to that of attributes."""
