"""What every node keeps, whatever it does: each file in nodes/ is held to the same rules, on made-up inputs."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.frames import FrameBatch, Picture
from pipeline.node import Node, Source
from pipeline.ports import config_of, ports_of
from pipeline.tick import Slot
from pipeline.values import columns, concat, equal, items
from tests.fake_face_models import face_gaze_model
from tests.fake_models import FarDevice, FarSession, appearance_model, detector, gaze_model
from tests.helpers import FakeContext, frames
from tests.nodes.made_up import MAP_HW, PEOPLE, frozen, made_up
from tests.repository import ROOT

FILES = sorted(path.stem for path in (ROOT / "nodes").glob("*.py") if path.stem not in ("__init__", "types"))
FRAMES = 12


def node_class(file: str) -> type[Node[Any]]:
    name = "".join(word.title() for word in file.split("_"))
    return getattr(importlib.import_module(f"nodes.{file}"), name)


STAGES = [file for file in FILES if not issubclass(node_class(file), Source)]


def settings(file: str, folder: Path) -> dict[str, Any]:
    """Return what a node needs in a test: an address that no other test listens on, windows shorter than the clip."""
    return {
        "publish_events": {"endpoint": f"ipc://{folder}/bus", "log": None, "linger_s": 0},
        "measure_attention": {"window_s": 0.2, "settle_s": 0},
        "estimate_appearance": {"min_height_px": 2, "max_overlap": 0.9},
        "estimate_face_gaze": {"max_yaw_deg": 120},
        "draw_overlay": {"heat_map": True},
    }.get(file, {})


def seen_people(image: np.ndarray) -> list[list[float]]:
    """Return rows of a detector that depend on the picture."""
    rng = np.random.default_rng(int(image.sum()))
    rows = []
    for left in np.arange(rng.integers(PEOPLE)) / PEOPLE:
        head = [left + 0.02, 0.1, left + 0.08, 0.25]
        rows += [[0, left, 0.1, left + 0.15, 0.9, rng.random()], [7, *head, rng.random()], [9, *head, rng.random()]]
    return rows


def seen_gaze(image: np.ndarray, boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maps and in-frame probabilities that depend on the picture and the boxes."""
    level = (image.mean() / 255 + boxes.sum(axis=1)) % 1
    ramp = np.linspace(0, 1, MAP_HW[0] * MAP_HW[1]).reshape(MAP_HW)
    return (ramp + level[:, None, None]) % 1, level


def seen_clothes(crop: np.ndarray) -> np.ndarray:
    """Return a vector that depends on the crop of a person."""
    return crop.mean(axis=(0, 1)) - 128


def seen_eyes(crop: np.ndarray) -> tuple[float, float]:
    """Return yaw and pitch that depend on the crop of a head."""
    return float(crop.mean()) - 90, float(crop[0].mean() - crop[2].mean())


def node(file: str, folder: Path, far: bool = False) -> Node[Any]:
    """Return a node, opened, with made-up models and a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    models = {
        "people-shop-480": detector(seen_people),
        "gaze-shop-480": gaze_model(seen_gaze),
        "person-reidentification-retail-0248": appearance_model(seen_clothes),
        "mobilegaze-mobileone-s0": face_gaze_model(seen_eyes),
    }
    context = FakeContext(
        folder,
        sessions={name: FarSession(model) for name, model in models.items()} if far else models,
        device=FarDevice() if far else None,
    )
    cls = node_class(file)
    made = cls(config_of(cls)(**settings(file, folder)), context)
    made.open()
    return made


def clip(seed: int) -> FrameBatch:
    """Return frames of two streams, turn about, with noise for pictures, which refuse to be written to."""
    rng = np.random.default_rng(seed)
    noise = [Picture((rng.integers(0, 255, (36, 64, 3), np.uint8),), "bgr") for _ in range(FRAMES)]
    for one in noise:
        one.planes[0].flags.writeable = False
    times = np.repeat(np.arange(FRAMES // 2) * 0.2, 2)
    known = {"shop": {"hfov_deg": 70}, "door": {"hfov_deg": 100}}
    return frames(stream=("shop", "door") * (FRAMES // 2), pts_s=times, size_wh=(64, 36), pictures=noise, config=known)


def ticks(file: str, clip: FrameBatch, seed: int) -> list[dict[str, Any]]:
    """Return the inputs of a node, one tick a frame."""
    rng = np.random.default_rng(seed)
    made = []
    for row in range(len(clip)):
        frame = clip.take([row])
        ports = ports_of(node_class(file)).inputs
        made.append({n: frame if p.kind is FrameBatch else made_up(p.kind, frame, rng) for n, p in ports.items()})
    return made


def joined(parts: list[dict[str, Any]], clip: FrameBatch) -> dict[str, Any]:
    """Return the inputs of several ticks of one frame each as those of one tick."""
    return {
        name: clip
        if isinstance(value, FrameBatch)
        else frozen(concat([moved(part[name], k) for k, part in enumerate(parts)]))
        for name, value in parts[0].items()
    }


def moved(value: Any, frame_row: int) -> Any:
    """Return a value of one frame as rows of that frame of a batch."""
    content = dict(items(value))
    if "frame_row" in content:
        content["frame_row"] = np.full(len(value), frame_row, np.int64)
    return type(value)(**content)


def same(a: Any, b: Any) -> bool:
    """Tell whether two outputs are the same, pictures too."""
    if a is None or b is None:
        return a is b
    if isinstance(a, FrameBatch) and not all(
        np.array_equal(x, y)
        for p, q in zip(a.pictures, b.pictures, strict=True)
        for x, y in zip(p.planes, q.planes, strict=True)
    ):
        return False
    return equal(a, b)


def together(outputs: list[Any]) -> Any:
    """Return the outputs of ticks of one frame each as that of one tick."""
    if outputs[0] is None:
        return None
    if isinstance(outputs[0], FrameBatch):
        merged = concat(outputs)
        pictures = tuple(picture for output in outputs for picture in output.pictures)
        return FrameBatch(**dict(items(merged)), pictures=pictures, streams=outputs[0].streams)
    return concat([moved(output, k) for k, output in enumerate(outputs)])


def written(folder: Path) -> dict[str, bytes]:
    """Return the files that a node wrote."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def finish(made: Node[Any]) -> list[Any]:
    """End both streams and close; return what was handed out."""
    last = [made.stream_ended(stream_id) for stream_id in ("shop", "door")]
    made.close()
    return last


@pytest.mark.parametrize("file", FILES)
def test_the_class_is_named_after_the_file_and_says_what_it_keeps(file: str) -> None:
    cls = node_class(file)

    assert issubclass(cls, Node)
    assert inspect.getmodule(cls).__doc__
    assert {"State:", "Empty:"} <= set(re.findall(r"\b(?:State|Empty):", cls.__doc__))


@pytest.mark.parametrize("file", FILES)
def test_ports_are_typed_and_every_setting_is_explained(file: str) -> None:
    cls = node_class(file)

    ports_of(cls)

    unexplained = [name for name, field in config_of(cls).model_fields.items() if not field.description]
    without_default = [name for name, field in config_of(cls).model_fields.items() if field.is_required()]
    assert (unexplained, without_default) == ([], [])


@pytest.mark.parametrize("file", STAGES)
def test_a_batch_gives_what_its_frames_give_one_by_one(file: str, tmp_path: Path) -> None:
    shown = clip(1)
    parts = ticks(file, shown, 2)
    one, many = node(file, tmp_path / "one"), node(file, tmp_path / "many")

    outputs = [one.process(**part) for part in parts]
    output = many.process(**joined(parts, shown))

    last_one, last_many = finish(one), finish(many)
    assert output is None or len(output) > 0
    assert same(output, together(outputs))
    assert all(same(a, b) for a, b in zip(last_one, last_many, strict=True))
    assert written(tmp_path / "one") == written(tmp_path / "many")


@pytest.mark.parametrize("file", STAGES)
def test_nothing_comes_of_nothing(file: str, tmp_path: Path) -> None:
    made = node(file, tmp_path)
    ports = ports_of(node_class(file))
    nothing = {n: clip(1).take([]) if p.kind is FrameBatch else p.kind.empty() for n, p in ports.inputs.items()}

    output = made.process(**nothing)

    assert output is None if ports.output is None else (type(output) is ports.output and len(output) == 0)
    assert not any(finish(made))


@pytest.mark.parametrize("file", STAGES)
def test_frames_in_which_nothing_was_found_are_ordinary(file: str, tmp_path: Path) -> None:
    made = node(file, tmp_path)
    ports = ports_of(node_class(file))
    shown = clip(1)
    nothing = {n: shown if p.kind is FrameBatch else p.kind.empty() for n, p in ports.inputs.items()}

    output = made.process(**nothing)

    assert output is None if ports.output is None else type(output) is ports.output
    finish(made)


@pytest.mark.parametrize("file", STAGES)
def test_two_instances_share_nothing(file: str, tmp_path: Path) -> None:
    inputs = [ticks(file, clip(seed), seed) for seed in (1, 2)]
    apart = []
    for k in (0, 1):
        alone = node(file, tmp_path / f"alone{k}")
        apart.append([alone.process(**part) for part in inputs[k]] + finish(alone))

    pair = [node(file, tmp_path / f"pair{k}") for k in (0, 1)]
    mixed: list[list[Any]] = [[], []]
    for parts in zip(*inputs, strict=True):
        for k, part in enumerate(parts):
            mixed[k].append(pair[k].process(**part))
    for k in (0, 1):
        mixed[k] += finish(pair[k])

    assert all(same(a, b) for k in (0, 1) for a, b in zip(apart[k], mixed[k], strict=True))


@pytest.mark.parametrize("generation", [0, 1], ids=["same name again", "new generation"])
@pytest.mark.parametrize("file", STAGES)
def test_what_follows_an_end_begins_as_if_nothing_had_been(file: str, generation: int, tmp_path: Path) -> None:
    again = clip(2)
    columns_again = dict(items(again)) | {"generation": np.full(FRAMES, generation)}
    again = FrameBatch(**columns_again, pictures=again.pictures, streams=again.streams)
    used, fresh = node(file, tmp_path / "used"), node(file, tmp_path / "fresh")
    for part in ticks(file, clip(1), 1):
        used.process(**part)
    for stream_id in ("shop", "door"):
        used.stream_ended(stream_id)

    after = [used.process(**part) for part in ticks(file, again, 2)] + finish(used)
    anew = [fresh.process(**part) for part in ticks(file, again, 2)] + finish(fresh)

    assert all(same(a, b) for a, b in zip(after, anew, strict=True))


def on_far_device(value: Any) -> Any:
    """Return a value with the columns that may lie on a device there."""
    there = [spec.name for spec in columns(type(value)) if spec.metadata.get("on_device")]
    return replace(value, **{name: FarDevice.xp.asarray(getattr(value, name)) for name in there})


TOUCHING = [file for file in STAGES if node_class(file).begins_stage or node_class(file).reads_on_device]


@pytest.mark.parametrize("file", TOUCHING)
def test_arrays_of_a_device_are_not_touched_on_the_host(file: str, tmp_path: Path) -> None:
    near, far = node(file, tmp_path / "near"), node(file, tmp_path / "far", far=True)
    inputs, lent = ticks(file, clip(1), 2), node_class(file).reads_on_device

    wanted = [near.process(**part) for part in inputs]
    told = [far.process(**{n: on_far_device(v) if n in lent else v for n, v in part.items()}) for part in inputs]

    assert lent <= ports_of(node_class(file)).inputs.keys()
    back = [one if one is None else Slot.of(one, far.context.device).on_host for one in told]
    assert all(same(a, b) for a, b in zip(wanted, back, strict=True))
    near.close()
    far.close()


@pytest.mark.parametrize("file", FILES)
def test_what_asks_for_a_second_pass_revises_what_it_put_out(file: str) -> None:
    cls = node_class(file)
    extras = [info.json_schema_extra for info in config_of(cls).model_fields.values()]
    asks = any(isinstance(extra, dict) and extra.get("second_pass") for extra in extras)

    assert asks == (cls.revised is not Node.revised)
