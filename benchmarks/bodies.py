"""People of a rendered scene as a whole-body detector would find them, without pictures: boxes, joints, hands, feet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nodes.ops.wholebody import NAMES
from scenes.body import BodyPainter
from scenes.camera import Camera, aimed_camera
from scenes.looks import sample_looks
from scenes.pose import Pose, body_point, head_centre, sample_arms

SIZE_WH = (1280, 720)
HEAD_M = np.array([0.2, 0.25])
"""Width and height of a head with hair."""


@dataclass(frozen=True)
class Found:
    """What is found in one frame, ordered by label, in fractions of the frame."""

    person: np.ndarray
    """(N,) int64 from 0."""
    label: np.ndarray
    box: np.ndarray
    """(N, 4) float32."""


def crowd(rng: np.random.Generator, looks_down_deg: tuple[float, float] = (10.0, 30.0), people: int = 6) -> Found:
    """Return what is found of people who stand close together: what others hide is missing, and some of the rest."""
    pitch = float(rng.uniform(*looks_down_deg))
    eye = aimed_camera(SIZE_WH, focal_in_widths=0.75, height_m=2.6, yaw_deg=0, pitch_down_deg=pitch)
    middle = np.array([rng.uniform(-0.5, 0.5), 0.0, min(1.7 / np.tan(np.radians(pitch)), 7.0)])
    made = [_one(rng, eye, middle + np.array([rng.normal(0, 0.5), 0, rng.normal(0, 0.6)])) for _ in range(people)]
    made.sort(key=lambda one: one[0])
    person, label, box = [], [], []
    for row, (_, points, head, body) in enumerate(made):
        in_front = [other[3] for other in made[:row]]
        for name, x, y in points:
            half = 0.012 * (body[3] - body[1]) * (2.5 if name in ("hand", "foot") else 1)
            if rng.random() < 0.1 or any(_covers(front, x, y) for front in in_front):
                continue
            x, y = rng.normal((x, y), half / 3)
            person.append(row)
            label.append(NAMES.index(name))
            box.append([x - half, y - half, x + half, y + half])
        for name, whole in (("head", head), ("body", body)):
            jitter = rng.normal(0, 0.02, 4) * np.tile(whole[2:] - whole[:2], 2)
            person.append(row)
            label.append(NAMES.index(name))
            box.append((whole + jitter).tolist())
    order = np.argsort(label, kind="stable")
    boxes = np.clip(np.array(box)[order] / np.tile(SIZE_WH, 2), 0, 1)
    large = (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    return Found(np.array(person)[order][large], np.array(label)[order][large], boxes[large].astype(np.float32))


def _one(
    rng: np.random.Generator, eye: Camera, ground: np.ndarray
) -> tuple[float, list[tuple[str, float, float]], np.ndarray, np.ndarray]:
    """Return depth, parts (name, x, y), head box and body box of somebody, in pixels."""
    looks, yaw, seated = sample_looks(rng), float(rng.uniform(-np.pi, np.pi)), bool(rng.random() < 0.15)
    gaze = rng.normal(size=3) + np.array([0, 0.3, 0])
    pose = Pose(
        ground, yaw, float(rng.uniform(-0.05, 0.25)), seated, float(rng.uniform(-0.5, 0.5)),
        sample_arms(rng, reaching=0.2), None, 1.0, np.eye(3), gaze / np.linalg.norm(gaze),
    )  # fmt: skip
    painter = BodyPainter(None, looks, pose, 1)  # type: ignore[arg-type]

    def at(right: float, up: float, ahead: float) -> np.ndarray:
        return body_point(looks, pose, right, up, ahead)

    world = [("collarbone", at(0, 1.4, 0.05)), ("solar_plexus", at(0, 1.22, 0.1)), ("abdomen", at(0, 1.02, 0.1))]
    for row, side in enumerate((-1, 1)):
        shoulder = at(looks.shoulder_m * side, 1.37, 0)
        elbow, hand = painter._joints(pose.arms[row], side, shoulder)
        swing = side * pose.stride
        lifted = 0.25 * max(0.0, -np.sin(swing))
        if seated:
            knee, ankle = at(0.12 * side, 0.91, 0.42), at(0.12 * side, 0.51, 0.42)
        else:
            knee, ankle = (
                at(0.095 * side, 0.49, 0.42 * np.sin(swing)),
                at(0.1 * side, 0.08 + lifted, 0.42 * np.sin(swing)),
            )
        wrist = elbow + 0.85 * (hand - elbow)
        foot = ankle + painter.axes @ np.array([0, 0.03, 0.07])
        world += [("shoulder", shoulder), ("elbow", elbow), ("wrist", wrist), ("hand", hand), ("knee", knee)]
        world += [("hip_joint", at(0.09 * side, 0.9, 0)), ("ankle", ankle), ("foot", foot)]
    pixels, _ = eye.project(np.array([point for _, point in world]))
    centre, depth = eye.project(head_centre(looks, ground, yaw, pose.lean, seated)[None])
    half = HEAD_M / 2 * eye.focal_px / depth[0]
    head = np.concatenate([centre[0] - half, centre[0] + half])
    margin = 0.07 * eye.focal_px / depth[0]
    low = np.minimum(pixels.min(axis=0) - margin, head[:2])
    body = np.concatenate([low, np.maximum(pixels.max(axis=0) + margin, head[2:])])
    names = [name for name, _ in world]
    return float(depth[0]), list(zip(names, *pixels.T.tolist(), strict=True)), head, body


def _covers(body: np.ndarray, x: float, y: float) -> bool:
    """Tell whether a body hides a point: the middle three fifths of its box."""
    aside = 0.2 * (body[2] - body[0])
    return bool(body[0] + aside < x < body[2] - aside and body[1] < y < body[3])
