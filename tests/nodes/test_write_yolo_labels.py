"""Data sets for detectors: pictures, labels beside them, attributes as rows of their own, heads hidden."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from nodes.ops.wholebody import ATTRIBUTES, BODY, FACE, HAND, HEAD, NAMES
from nodes.types import Parts
from nodes.write_yolo_labels import WriteYoloLabels
from pipeline.errors import PipelineError
from pipeline.frames import FrameBatch, Picture
from tests.helpers import FakeContext, frames, make_node, run_node, table

SHOULDER = NAMES.index("shoulder")
WHOLE = (64, 36)


def part(label: int, box: list[float], score: float = 0.9, frame_row: int = 0, **said: float) -> tuple[Any, ...]:
    return frame_row, label, box, score, [said.get(name.replace("-", "_"), 0) for name in ATTRIBUTES]


def parts_of(*rows: tuple[Any, ...]) -> Parts:
    names = ("frame_row", "label", "box", "score", "attribute_scores")
    return table(Parts, **{name: [row[k] for row in rows] for k, name in enumerate(names)})


def noisy(**options: Any) -> FrameBatch:
    """Return frames whose pictures are noise."""
    rng = np.random.default_rng(3)
    count = len(options.get("pts_s", [0]))
    pictures = [Picture((rng.integers(0, 255, (WHOLE[1], WHOLE[0], 3), np.uint8),), "bgr") for _ in range(count)]
    return frames(**{"count": 1, "size_wh": WHOLE, "pictures": pictures, **options})


def written(folder: Path, shown: FrameBatch, parts: Parts, **config: Any) -> dict[str, str]:
    """Return the labels that are written, by name."""
    run_node(make_node(WriteYoloLabels, FakeContext(folder), **config), [(shown, parts)], ["shop"])
    return {path.name: path.read_text() for path in sorted((folder / "shop/yolo/labels").iterdir())}


def names(folder: Path, kind: str) -> list[str]:
    return sorted(path.name for path in (folder / "shop/yolo" / kind).iterdir())


def test_rows_are_class_centre_and_size_with_attributes_behind_what_they_are_of(tmp_path: Path) -> None:
    rows = (
        part(BODY, [0.1, 0.2, 0.3, 0.8], adult=0.8, child=0.75, female=0.7, male=0.2),
        part(HEAD, [0.15, 0.2, 0.25, 0.35], front=0.69, left_front=0.71),
        part(FACE, [0.2, 1 / 3, 0.25, 0.35]),
        part(HAND, [0.1, 0.5, 0.2, 0.6], hand_left=0.9),
    )

    told = written(tmp_path, noisy(), parts_of(*rows))

    body, head, hand = "0.200000 0.500000 0.200000 0.600000", "0.200000 0.275000 0.100000 0.150000", "0.150000 0.550000"
    assert told["00000000.txt"].splitlines() == [
        f"0 {body}",
        f"1 {body}",
        f"4 {body}",
        f"7 {head}",
        f"15 {head}",
        "16 0.225000 0.341667 0.050000 0.016667",
        f"26 {hand} 0.100000 0.100000",
        f"27 {hand} 0.100000 0.100000",
    ]


def test_thresholds_are_those_of_things_joints_and_attributes(tmp_path: Path) -> None:
    box = [0.1, 0.2, 0.3, 0.8]
    rows = (
        part(BODY, box, 0.5, adult=0.6, female=0.59),
        part(BODY, box, 0.4),
        part(SHOULDER, box, 0.3),
        part(SHOULDER, box, 0.2),
    )

    told = written(tmp_path, noisy(), parts_of(*rows), min_score=0.5, joint_min_score=0.25, attribute_min_score=0.6)

    assert [line.split()[0] for line in told["00000000.txt"].splitlines()] == ["0", "1", "22"]


def test_the_description_names_the_classes(tmp_path: Path) -> None:
    written(tmp_path, noisy(), Parts.empty())

    described = yaml.safe_load((tmp_path / "shop/yolo/data.yaml").read_text())
    assert described == {"train": "images", "val": "images", "names": dict(enumerate(NAMES))}


def test_a_picture_is_written_every_so_often_by_its_time_also_of_nothing(tmp_path: Path) -> None:
    shown = noisy(pts_s=[0, 0.4, 1.04, 1.4, 2.0, 4.5, 4.9, 5.0])

    told = written(tmp_path, shown, parts_of(part(BODY, [0.1, 0.2, 0.3, 0.8], frame_row=2)), every_s=1)

    assert list(told) == [f"{index:08d}.txt" for index in (0, 26, 50, 112, 125)]
    assert [bool(text) for text in told.values()] == [False, True, False, False, False]
    assert names(tmp_path, "images") == [name.replace("txt", "jpg") for name in told]


def test_every_frame_can_be_written_but_none_twice(tmp_path: Path) -> None:
    node = make_node(WriteYoloLabels, FakeContext(tmp_path), every_s=0)
    shown = noisy(pts_s=[0, 0.04, 0.08])

    run_node(node, [(shown, Parts.empty()), (shown, Parts.empty())])

    assert names(tmp_path, "labels") == ["00000000.txt", "00000001.txt", "00000002.txt"]
    image = tmp_path / "shop/yolo/images/00000000.jpg"
    first = image.stat().st_mtime_ns
    node.process(shown, Parts.empty())
    assert image.stat().st_mtime_ns == first


def test_a_new_generation_begins_at_once_and_streams_are_apart(tmp_path: Path) -> None:
    shown = noisy(stream=("shop", "door", "shop"), pts_s=[0, 0, 0.04], generation=[0, 0, 1])
    rows = parts_of(part(BODY, [0.1, 0.2, 0.3, 0.8], frame_row=1))

    told = written(tmp_path, shown, rows)

    assert told == {"00000000.txt": "", "00000001.txt": ""}
    assert (tmp_path / "door/yolo/labels/00000000.txt").read_text().startswith("0 0.2")


def test_pictures_are_the_frames_where_heads_are_not_hidden(tmp_path: Path) -> None:
    shown = noisy()
    head = part(HEAD, [0.4, 0.4, 0.6, 0.6])

    written(tmp_path, shown, parts_of(head), format="png", blur_heads=False)

    image = cv2.imread(str(tmp_path / "shop/yolo/images/00000000.png"))
    np.testing.assert_array_equal(image, shown.bgr(0))


@pytest.mark.parametrize(
    ("rows", "hidden", "seen"),
    [
        ([part(HEAD, [0.4, 0.4, 0.6, 0.6])], (18, 32), (2, 2)),
        ([part(HEAD, [0.4, 0.4, 0.6, 0.6], 0.1)], (18, 32), (2, 2)),
        ([part(FACE, [0.4, 0.4, 0.6, 0.6])], (18, 32), (2, 2)),
        ([part(BODY, [0.4, 0.1, 0.6, 0.9])], (7, 32), (30, 32)),
        ([part(HEAD, [0.45, 0.1, 0.55, 0.2]), part(BODY, [0.4, 0.1, 0.6, 0.9])], (5, 32), (11, 32)),
        ([part(HEAD, [0.45, 0.1, 0.55, 0.2], 0.4), part(BODY, [0.4, 0.1, 0.6, 0.9])], (11, 32), (30, 32)),
    ],
    ids=["head", "doubtful head", "face", "body without a head", "body with its head", "body with a doubtful head"],
)
def test_heads_are_hidden_unless_told_otherwise(
    tmp_path: Path, rows: list[Any], hidden: tuple[int, int], seen: tuple[int, int]
) -> None:
    shown = noisy()
    before = shown.bgr(0).copy()

    written(tmp_path, shown, parts_of(*sorted(rows, key=lambda row: row[1])), format="png")

    image = cv2.imread(str(tmp_path / "shop/yolo/images/00000000.png"))
    changed = (image != before).any(axis=2)
    assert changed[hidden]
    assert not changed[seen]
    np.testing.assert_array_equal(shown.bgr(0), before)


def test_a_file_replaces_its_data_set_and_a_live_stream_adds_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "shop/yolo"
    written(tmp_path, noisy(pts_s=[0, 1]), Parts.empty(), every_s=0, format="png")
    (folder / "labels/notes.txt").write_text("mine")

    written(tmp_path, noisy(pts_s=[0]), Parts.empty(), every_s=0)
    assert names(tmp_path, "images") == ["00000000.jpg"]
    assert names(tmp_path, "labels") == ["00000000.txt", "notes.txt"]

    written(tmp_path, noisy(pts_s=[0, 0.04], live=True), Parts.empty(), every_s=0)
    assert names(tmp_path, "images") == ["00000000.jpg", "00000001.jpg", "00000002.jpg"]


def test_no_picture_is_there_without_its_labels_when_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(WriteYoloLabels, FakeContext(tmp_path))
    node.open()
    node.process(noisy(), Parts.empty())
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if self.name == "00000025.txt.part":
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(PipelineError, match=r"00000025\.txt: expected to write, got a full disk"):
        node.process(noisy(start_s=1), Parts.empty())
    assert names(tmp_path, "images") == ["00000000.jpg"]
    assert names(tmp_path, "labels") == ["00000000.txt"]

    monkeypatch.undo()
    node.process(noisy(start_s=1), Parts.empty())
    assert names(tmp_path, "images") == ["00000000.jpg", "00000025.jpg"]


def test_a_stream_without_frames_makes_no_folder(tmp_path: Path) -> None:
    run_node(make_node(WriteYoloLabels, FakeContext(tmp_path)), [(noisy().take([]), Parts.empty())], ["shop"])

    assert list(tmp_path.iterdir()) == []
