"""Model cards: found by name, by path, by the file they speak of; wrong ones are refused by key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipeline.cards import ModelCard, card_problems, load_card
from pipeline.errors import ConfigError

CARD = {
    "file": "models/tiny.onnx",
    "family": "adder",
    "input_size_wh": [8, 4],
    "contract": {"inputs": {"x": {"shape": ["N", 3, "H", "W"]}}, "outputs": {"y": {"shape": ["N"], "range": [0, 1]}}},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "configs/models").mkdir(parents=True)
    write(tmp_path / "configs/models/tiny.yaml")
    return tmp_path


def write(path: Path, **changes: object) -> Path:
    path.write_text(yaml.safe_dump({**CARD, **changes}))
    return path


def refusal(card: str, root: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        load_card(card, root)
    return str(caught.value)


def test_a_card_is_found_by_name(root):
    card, path = load_card("tiny", root)

    assert (card.name, card.family, card.input_size_wh, card.sha256, card.classes) == (
        "tiny",
        "adder",
        (8, 4),
        None,
        {},
    )
    assert card.contract.inputs["x"].shape == ("N", 3, "H", "W")
    assert (card.contract.outputs["y"].dtype, card.contract.outputs["y"].range) == ("float32", (0, 1))
    assert path == root / "models/tiny.onnx"


def test_a_card_elsewhere_names_its_file_relative_to_itself(root):
    (root / "mine").mkdir()
    write(root / "mine/card.yaml", file="net.onnx")

    for given in ("mine/card.yaml", str(root / "mine/card.yaml")):
        assert load_card(given, root)[1] == root / "mine/net.onnx"


def test_classes_are_read_by_label(root):
    write(root / "configs/models/tiny.yaml", classes={0: "body", 7: "head"})

    assert load_card("tiny", root)[0].classes == {0: "body", 7: "head"}


def test_a_model_file_finds_its_card(root):
    write(root / "configs/models/other.yaml", file="models/other.onnx")
    (root / "mine").mkdir()
    write(root / "mine/net.yaml", file="net.onnx", name="net of mine")

    assert load_card("models/other.onnx", root)[0].name == "other"
    assert load_card("mine/net.onnx", root)[0].name == "net of mine"


def test_a_model_file_without_a_card_says_how_to_write_one(root):
    assert refusal("mine/net.onnx", root) == (
        "model 'mine/net.onnx': expected a card that names this file, got none; copy the card of the same family from "
        f"configs/models to {root}/mine/net.yaml and write there `file: net.onnx`, its input_size_wh, and no sha256"
    )


def test_an_unknown_name_suggests_a_known_one(root):
    assert refusal("tinny", root) == (
        f"model 'tinny': expected a card at {root}/configs/models/tinny.yaml, got no such file; did you mean 'tiny'? "
        "(configs/models: tiny)"
    )


def test_wrong_keys_are_named_with_their_lines_all_at_once(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text(
        "file: a.onnx\nfile: b.onnx\nlicnce: MIT\ninput_size_wh: big\n"
        "contract:\n  outputs: {}\n  inputs:\n    x: {shape: [1], rnge: [0, 1]}\n"
    )

    *lines, nested = sorted(refusal("tiny", root).splitlines(), key=lambda line: "rnge" in line)
    assert nested.startswith(f"{path}:8: tiny.contract.inputs.x.rnge: ")
    assert lines == [
        f"{path}:2: file: given twice, first in line 1; remove one",
        f"{path}: tiny.family: expected a value, got none; add it",
        f"{path}:4: tiny.input_size_wh: expected a list, got 'big'",
        f"{path}:3: tiny.licnce: unknown key; did you mean 'licence'? (keys: {', '.join(ModelCard.model_fields)})",
    ]


def test_a_card_that_is_no_table_is_refused(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text("- a\n")

    assert refusal("tiny", root) == f"{path}: expected the keys of a model card, got ['a']"


def test_yaml_that_would_run_code_is_refused(root):
    path = root / "configs/models/tiny.yaml"
    path.write_text("file: !!python/object/apply:os.getcwd []\n")

    assert f"{path}:1: file: expected a plain value, got the tag" in refusal("tiny", root)


def test_what_is_missing_is_known_before_the_model_is_opened(root):
    path = root / "models/tiny.onnx"
    assert card_problems("tiny", root) == [
        f"model 'tiny': expected the file {path}, got none; put the file there or correct `file` in the card 'tiny'"
    ]

    path.parent.mkdir()
    path.touch()

    assert card_problems("tiny", root) == []
    assert card_problems("tinny", root) == [
        f"model 'tinny': expected a card at {root}/configs/models/tinny.yaml, got no such file; did you mean 'tiny'? "
        "(configs/models: tiny)"
    ]


ANGLES = {name: {"output": "a", "column": column} for column, name in enumerate(("yaw", "pitch", "roll"))}


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
        ({}, ["N", 3], "tiny.head_pose: expected `yaw`, `pitch` and `roll`, or `rotation` alone; write one of the two"),
        (
            {**ANGLES, "rotation": "a"},
            ["N", 3],
            "tiny.head_pose: expected `yaw`, `pitch` and `roll`, or `rotation` alone; write one of the two",
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
