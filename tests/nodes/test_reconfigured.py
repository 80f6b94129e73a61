"""Values marked live change between two frames: no node loses what it holds, and each goes by the new ones at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic.fields import FieldInfo

from nodes.ops.wholebody import NAMES
from pipeline.configured import configured
from pipeline.graph import NodeSpec
from pipeline.node import Node
from pipeline.ports import config_of, ports_of
from pipeline.running import RunningNode
from pipeline.tick import Slot, Tick, no_frames
from tests.nodes.test_contract import STAGES, clip, finish, node, node_class, same, ticks


def live_fields(file: str) -> dict[str, FieldInfo]:
    """Return the fields of a node that may change while it runs."""
    extras = {name: (info, info.json_schema_extra) for name, info in config_of(node_class(file)).model_fields.items()}
    return {name: info for name, (info, extra) in extras.items() if isinstance(extra, dict) and extra.get("live")}


LIVE = [file for file in STAGES if live_fields(file)]
FIELDS = [(file, name) for file in LIVE for name in live_fields(file)]
SWITCHED_ON = {
    "draw_overlay": {"blur_heads": True, "heat_map": True},
    "estimate_gaze": {"schedule": "adaptive", "max_heads": 2},
}
"""Without which other values say nothing."""
OTHERS = {("draw_overlay", "hide_classes"): NAMES[::2]}
"""Other values of fields that do not take anything of their kind."""
UNSEEN = {
    "detect_parts": {"attribute_min_iou", "joint_max_iou", "joint_min_score", "object_max_iou"},
    "detect_people": {"direction_min_iou", "body_max_iou", "head_max_iou"},
    "draw_overlay": {"scale", "line_width", "areas"},
    "detect_still": {"still_s", "max_motion"},
    "estimate_appearance": {"min_height_px"},
    "estimate_camera_motion": {"min_share", "still"},
    "estimate_face_gaze": {"max_heads"},
    "estimate_gaze": {"max_move"},
    "estimate_gaze_from_direction": {"hfov_deg", "yaw_spread_deg"},
    "estimate_head_pose": {"faces_only", "max_heads", "max_disagreement_deg", "min_head_score", "max_yaw_deg"},
    "measure_looks": {"max_gap_s", "min_visit_s"},
    "track_people": {"confirm_s", "coast_s", "min_likeness", "min_likeness_weak"},
}
"""Fields of which made-up clips show nothing: people jump about in them, and pictures are small and noisy."""


def other(file: str, name: str, before: Any) -> Any:
    """Return another value of a field, as far from the one it has as its kind allows."""
    info = live_fields(file)[name]
    if (file, name) in OTHERS:
        return OTHERS[file, name]
    if isinstance(before, bool):
        return not before
    if get_origin(info.annotation) is Literal:
        return next(value for value in get_args(info.annotation) if value != before)
    limits = {type(limit).__name__: getattr(limit, type(limit).__name__.lower()) for limit in info.metadata}
    if isinstance(before, int):
        return 1 if before > 1 else before + 5
    if (most := limits.get("Le", limits.get("Lt"))) is not None:
        return most * (0.05 if before > most / 2 else 0.95)
    return before + 7.0 if before < 1 else before / 50 + limits.get("Ge", 0.0)


def running(file: str, made: Node[Any]) -> RunningNode:
    """Return a node at work whose edges are called as its ports."""
    ports = ports_of(type(made)).inputs
    spec = NodeSpec("it", file, type(made), made.config, {port: port for port in ports}, "auto", "graph.yaml")
    return RunningNode(spec, made)


def steps(file: str, seed: int) -> list[Tick]:
    """Return a made-up clip, one frame a tick."""
    shown = clip(seed)
    parts = ticks(file, shown, seed)
    return [
        Tick(row, shown.take([row]), (), {port: Slot(value) for port, value in part.items()})
        for row, part in enumerate(parts)
    ]


def change(file: str, **values: Any) -> Tick:
    """Return a tick that carries nothing but the mark about new values."""
    frames = no_frames(*clip(1).streams.values())
    ports = ports_of(node_class(file)).inputs
    nothing = {port: Slot(frames if p.kind is type(frames) else p.kind.empty()) for port, p in ports.items()}
    return Tick(0, frames, (configured(nodes={"it": values}),), nothing)


def run(one: RunningNode, parts: list[Tick]) -> list[Any]:
    return [one.call(part) for part in parts]


def alike(a: list[Any], b: list[Any]) -> bool:
    return all(same(x, y) for x, y in zip(a, b, strict=True))


def test_there_are_nodes_with_live_fields() -> None:
    assert len(LIVE) >= 12
    assert len(FIELDS) > 60


@pytest.mark.parametrize("file", LIVE)
def test_a_change_that_is_taken_back_leaves_no_trace(file: str, tmp_path: Path) -> None:
    changed, left_alone = (running(file, node(file, tmp_path / name)) for name in ("changed", "left"))
    shown = steps(file, 1)
    half = len(shown) // 2

    got, wanted = run(changed, shown[:half]), run(left_alone, shown[:half])
    for name in live_fields(file):
        before = getattr(changed.node.config, name)
        run(changed, [change(file, **{name: other(file, name, before)}), change(file, **{name: before})])
    got += run(changed, shown[half:]) + finish(changed.node)
    wanted += run(left_alone, shown[half:]) + finish(left_alone.node)

    assert alike(got, wanted)


@pytest.mark.parametrize(("file", "name"), FIELDS)
def test_a_value_that_was_changed_is_the_one_that_counts(file: str, name: str, tmp_path: Path) -> None:
    begun, fresh = (running(file, node(file, tmp_path / name)) for name in ("begun", "fresh"))
    value = other(file, name, getattr(begun.node.config, name))

    run(begun, [*steps(file, 1)[:3], change(file, **{name: value})])
    for stream_id in ("shop", "door"):
        begun.node.stream_ended(stream_id)
    run(fresh, [change(file, **{name: value})])

    assert getattr(begun.node.config, name) == value
    assert alike(run(begun, steps(file, 2)), run(fresh, steps(file, 2)))
    begun.node.close()
    fresh.node.close()


@pytest.mark.parametrize("file", LIVE)
def test_each_live_value_makes_a_difference_from_the_next_frame_on(file: str, tmp_path: Path) -> None:
    begin = [change(file, **SWITCHED_ON.get(file, {})), *steps(file, 1)[:4]]
    unseen = set()
    for name in live_fields(file):
        old, new = (running(file, node(file, tmp_path / f"{name}-{which}")) for which in ("old", "new"))
        run(old, begin)
        run(new, begin)
        run(new, [change(file, **{name: other(file, name, getattr(new.node.config, name))})])
        if alike(run(old, steps(file, 1)[4:]), run(new, steps(file, 1)[4:])):
            unseen.add(name)

    assert unseen == UNSEEN.get(file, set())
