"""Parts of model cards that only some families have: what they mean is checked when the card is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cards import load_card
from tests.pipeline.test_cards import refusal, with_a_card, write

ANGLES = {name: {"output": "a", "column": column} for column, name in enumerate(("yaw", "pitch", "roll"))}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_a_card(tmp_path)


def of_poses(head_pose: dict[str, object], shape: list[object]) -> dict[str, object]:
    return {"head_pose": head_pose, "contract": {"inputs": {}, "outputs": {"a": {"shape": shape}}}}


def test_outputs_of_a_pose_model_and_its_crop_are_read(root):
    crop = {"scale": 1.2, "colour": "rgb", "mean": [1, 2, 3], "std": [4, 5, 6]}
    write(root / "configs/models/tiny.yaml", crop=crop, **of_poses({**ANGLES, "order": "xyz"}, ["N", 3]))

    card = load_card("tiny", root)[0]

    assert (card.crop.scale, card.crop.down, card.crop.square, card.crop.std) == (1.2, 0, False, (4, 5, 6))
    assert card.head_pose
    assert [(angle.output, angle.column, angle.sign) for angle in card.head_pose.angles] == [
        ("a", 0, 1), ("a", 1, 1), ("a", 2, 1)
    ]  # fmt: skip
    assert (card.head_pose.order, card.head_pose.valid_yaw_deg, card.head_pose.rotation) == ("xyz", 180, None)
    for shape in (["N", 3, 3], ["N", 6]):
        write(root / "configs/models/tiny.yaml", **of_poses({"rotation": "a"}, shape))
        card = load_card("tiny", root)[0]
        assert card.head_pose
        assert (card.head_pose.rotation, card.head_pose.angles) == ("a", ())


@pytest.mark.parametrize(
    ("head_pose", "shape", "told"),
    [
        (
            {},
            ["N", 3],
            "tiny.head_pose: expected `yaw`, `pitch` and `roll`, or `rotation`, or `vector`; write one of the three",
        ),
        (
            {**ANGLES, "rotation": "a"},
            ["N", 3],
            "tiny.head_pose: expected `yaw`, `pitch` and `roll`, or `rotation`, or `vector`; write one of the three",
        ),
        (
            ANGLES,
            ["N", 2],
            "tiny: head_pose: expected an output [N, columns] of the contract with a column 2, got 'a' among "
            "{'a': ('N', 2)}; correct the name or the contract",
        ),
        (
            {**ANGLES, "yaw": {"output": "b"}},
            ["N", 3],
            "tiny: head_pose: expected an output [N, columns] of the contract with a column 0, got 'b' among "
            "{'a': ('N', 3)}; correct the name or the contract",
        ),
        (
            {"vector": "a"},
            ["N", 2],
            "tiny: head_pose: expected an output [N, 3 or more] of the contract, got 'a' among {'a': ('N', 2)}; "
            "correct the name or the contract",
        ),
        (
            {"vector": "a", "rotation": "a"},
            ["N", 6],
            "tiny.head_pose: expected `yaw`, `pitch` and `roll`, or `rotation`, or `vector`; write one of the three",
        ),
        (
            {"vector": "a", "transposed": True},
            ["N", 6],
            "tiny.head_pose: expected `transposed` beside a rotation; take it away",
        ),
        (
            {"rotation": "a"},
            ["N", 4],
            "tiny: head_pose: expected an output [N, 3, 3] or [N, 6] of the contract, got 'a' among {'a': ('N', 4)}; "
            "correct the name or the contract",
        ),
    ],
)
def test_outputs_that_are_no_pose_are_refused(root, head_pose, shape, told):
    path = write(root / "configs/models/tiny.yaml", **of_poses(head_pose, shape))

    line = refusal("tiny", root)

    assert line.removeprefix(str(path)).partition(": ")[2] == told


@pytest.mark.parametrize(
    "crop", [{"scale": 0}, {"std": [1, 0, 1]}, {"colour": "pink"}, {"mean": [0]}], ids=lambda crop: next(iter(crop))
)
def test_crops_that_cannot_be_cut_are_refused(root, crop):
    write(root / "configs/models/tiny.yaml", crop=crop)

    assert f"tiny.crop.{next(iter(crop))}" in refusal("tiny", root)


def told(root: Path, **changes: object) -> str:
    """Return the one problem of a card with these changes, without its place."""
    path = write(root / "configs/models/tiny.yaml", **changes)
    return refusal("tiny", root).removeprefix(str(path)).partition(": ")[2]


def test_an_archive_and_its_member_belong_together(root):
    archive = "https://example.org/models/all.tar.gz?part=1"
    wanted = "expected a url of an archive (.zip, .tar.gz, .tgz, .tar)"

    assert told(root, url=archive) == (
        f"tiny: member: expected the name of the file inside {archive!r}, got none; add it"
    )
    assert told(root, member="tiny.onnx") == (f"tiny: member: {wanted}, got None; correct it")
    assert told(root, url="https://example.org/tiny.onnx", member="tiny.onnx") == (
        f"tiny: member: {wanted}, got 'https://example.org/tiny.onnx'; correct it"
    )
    assert told(root, url="https://example.org/tiny.onnx", archive_sha256="0" * 64) == (
        "tiny: archive_sha256: expected a url of an archive, got one of a file; write it as sha256"
    )
    write(root / "configs/models/tiny.yaml", url=archive, member="tiny.onnx", archive_sha256="0" * 64)
    assert load_card("tiny", root)[0].member == "tiny.onnx"


def of_gaze(face_gaze: dict[str, object], **shapes: list[object]) -> dict[str, object]:
    outputs = {name: {"shape": shape} for name, shape in shapes.items()}
    return {"face_gaze": face_gaze, "contract": {"inputs": {}, "outputs": outputs}}


STEPS = {"width_deg": 4, "first_deg": -180}
BINS = {"yaw": {"output": "a", "sign": -1, "bins": STEPS}, "pitch": {"output": "b", "bins": STEPS}}


def test_outputs_of_a_model_of_gaze_from_faces_are_read(root):
    write(root / "configs/models/tiny.yaml", **of_gaze(BINS, a=["N", 90], b=["N", "steps"]))
    gaze = load_card("tiny", root)[0].face_gaze
    assert gaze
    assert gaze.yaw
    assert gaze.yaw.bins
    assert (gaze.yaw.sign, gaze.yaw.bins.width_deg, gaze.vector) == (-1, 4, None)

    write(root / "configs/models/tiny.yaml", **of_gaze({"vector": "a", "axes": [1, -1, 1]}, a=[1, 3]))
    gaze = load_card("tiny", root)[0].face_gaze
    assert gaze
    assert (gaze.vector, gaze.axes, gaze.yaw) == ("a", (1, -1, 1), None)


@pytest.mark.parametrize(
    ("face_gaze", "shapes", "problem"),
    [
        ({}, {}, "tiny.face_gaze: expected `yaw` and `pitch`, or `vector` alone; write one of the two"),
        (
            BINS,
            {"a": ["N", 90]},
            "tiny: face_gaze: expected an output [N, steps] of the contract, got 'b' among {'a': ('N', 90)}; correct "
            "the name or the contract",
        ),
        (
            BINS,
            {"a": ["N", 1], "b": ["N", 90]},
            "tiny: face_gaze: expected an output [N, steps] of the contract, got 'a' among {'a': ('N', 1), 'b': ('N', "
            "90)}; correct the name or the contract",
        ),
        (
            {"vector": "a"},
            {"a": ["N", 2]},
            "tiny: face_gaze: expected an output [N, 3] of the contract, got 'a' among {'a': ('N', 2)}; correct the "
            "name or the contract",
        ),
        (
            {**BINS, "yaw": {"output": "a", "bins": STEPS, "unit": "radians"}},
            {"a": ["N", 90], "b": ["N", 90]},
            "tiny.face_gaze.yaw: expected `bins` without `column` and `unit`: they are a whole output, in degrees",
        ),
    ],
    ids=["nothing", "missing", "one step", "vector", "unit"],
)
def test_outputs_that_are_no_gaze_are_refused(root, face_gaze, shapes, problem):
    assert told(root, **of_gaze(face_gaze, **shapes)) == problem


def test_a_contract_must_make_sense(root):
    falling = {"inputs": {"x": {"shape": ["N"], "range": [1, 0]}}, "outputs": {}}
    doubled = {"inputs": {}, "outputs": {name: {"shape": ["N"], "position": 2} for name in "ab"}}

    assert told(root, contract=falling) == (
        "tiny.contract.inputs.x: range: expected the smaller value first, got [1.0, 0.0]; swap them"
    )
    assert told(root, contract=doubled) == (
        "tiny.contract: outputs: expected each position once, got [2, 2]; correct them"
    )
