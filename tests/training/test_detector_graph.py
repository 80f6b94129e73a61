"""Peak picking, directions and calibration of the exported detector, by hand and in ONNX Runtime."""

import math
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.detector_graph import (  # noqa: E402
    PER_CLASS,
    ROWS_PER_CLASS,
    Calibration,
    DetectorGraph,
    split_yaw,
)
from training.detector_net import DetectorNet  # noqa: E402
from training.export import check_against_torch, export_onnx, one_thread_session  # noqa: E402
from training.layers import fuse_batch_norm  # noqa: E402
from training.worth_a_look import ALONE_FROM  # noqa: E402

BODY, HEAD, FACE = 0, 7, 16
FACE_LOGIT = 1.5
Mirror = "torch.Tensor | None"
ROWS = PER_CLASS * ROWS_PER_CLASS
SIZES_HW = [(192, 320), (201, 333), (384, 640)]


@pytest.mark.parametrize("yaw_deg", [0.0, 10.0, 44.9, 45.0, 100.0, 180.0, 200.0, 359.0])
def test_scores_times_direction_vectors_point_along_the_yaw(yaw_deg: float) -> None:
    yaw = torch.tensor([math.radians(yaw_deg)], dtype=torch.float64)

    lower, share = split_yaw(torch.sin(yaw), -torch.cos(yaw))

    angles = [math.radians(45 * (float(lower) + k)) for k in (0, 1)]
    shares = [float(share), 1 - float(share)]
    x, y = (sum(s * f(a) for s, a in zip(shares, angles, strict=True)) for f in (math.sin, math.cos))
    turn = math.degrees(math.atan2(x, y)) - yaw_deg
    assert abs((turn + 180) % 360 - 180) < 1e-6
    assert 0 <= shares[0] <= 1


class HandMade(torch.nn.Module):
    """Two heads 5 cells apart, the first with a weaker double beside it, no body; all look right and show a face."""

    def forward(self, pictures: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
        maps = torch.full((len(pictures), 10, 8, 8), math.log(1.5))
        maps[:, [0, 5]] = -9.0
        maps[:, 5, 1, 1], maps[:, 5, 1, 3], maps[:, 5, 2, 6] = 3.0, 2.0, 1.0
        maps[:, 6:10, 1, 1] = torch.log(torch.tensor([1.5, 1.5, 4.0, 1.5]))
        maps[:, 6:10, 1, 3] = torch.log(torch.tensor([3.5, 1.5, 2.0, 1.5]))
        return maps, torch.zeros(len(pictures), 1, 8, 8)

    def heads(
        self, pictures: object, scene: object, boxes: "torch.Tensor", row: object, turn: None, mirror: Mirror
    ) -> "tuple[None, torch.Tensor]":
        self.seen, self.mirrored = len(boxes), mirror is not None
        return None, torch.tensor([[-1.0 if self.mirrored else 1.0, 0, 0, 1, 0, 0]]).repeat(len(boxes), 1)

    def faces(self, known: None) -> "tuple[torch.Tensor, torch.Tensor]":
        face = [-0.25, 0.0, 0.5, 0.5] if self.mirrored else [-0.5, 0.0, 0.25, 0.5]
        return torch.full((self.seen,), FACE_LOGIT), torch.tensor([face]).repeat(self.seen, 1)

    def again(
        self, known: None, logits: "torch.Tensor", boxes: "torch.Tensor", mirror: Mirror
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        return logits, boxes


class Moved(HandMade):
    """Each reading makes the second head the surer one and moves it up by a sixteenth of the picture."""

    def again(
        self, known: None, logits: "torch.Tensor", boxes: "torch.Tensor", mirror: Mirror
    ) -> "tuple[torch.Tensor, torch.Tensor]":
        second = (boxes[:, 0] > 0.5).float()
        return logits + 4 * second, boxes - second.unsqueeze(1) * torch.tensor([0.0, 1 / 16, 0.0, 1 / 16])


def test_peaks_are_boxes_once_each() -> None:
    graph = DetectorGraph(HandMade()).eval()

    with torch.no_grad():
        rows = graph(torch.zeros(1, 3, 64, 64))[0].numpy()

    assert rows.shape == (ROWS, 6)
    assert (np.diff(rows[:, 5]) <= 0).all()
    found = rows[rows[:, 5] > 0.01]
    heads, faces = found[found[:, 0] == HEAD], found[found[:, 0] == FACE]
    np.testing.assert_allclose(heads[:, 5], [1 / (1 + math.exp(-3)), 1 / (1 + math.exp(-1))], rtol=1e-5)
    np.testing.assert_allclose(heads[0, 1:5], [0, 0, (12 + 32) / 64, 24 / 64], atol=1e-6)
    np.testing.assert_allclose(heads[1, 1:5], [40 / 64, 8 / 64, 1, 32 / 64], atol=1e-6)
    np.testing.assert_allclose(faces[:, 5], heads[:, 5] / (1 + math.exp(-FACE_LOGIT)), rtol=1e-4)
    np.testing.assert_allclose(faces[0, 1:5], [0, 12 / 64, 33 / 64, 24 / 64], atol=1e-6)
    np.testing.assert_allclose(faces[1, 1:5], [40 / 64, 20 / 64, 58 / 64, 32 / 64], atol=1e-6)
    assert not (found[:, 0] == BODY).any()


def test_directions_have_the_boxes_and_scores_of_their_heads() -> None:
    with torch.no_grad():
        rows = DetectorGraph(HandMade()).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    heads = rows[(rows[:, 0] == HEAD) & (rows[:, 5] > 0.01)]
    right = rows[(rows[:, 0] == 10) & (rows[:, 5] > 0.01)]  # 10: right-side
    np.testing.assert_allclose(right[:, 1:], heads[:, 1:], atol=1e-6)


def test_a_second_look_weighs_and_moves_heads_with_all_that_is_theirs() -> None:
    with torch.no_grad():
        rows = DetectorGraph(Moved()).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    heads, right, faces = (rows[(rows[:, 0] == label) & (rows[:, 5] > 0.01)] for label in (HEAD, 10, FACE))
    np.testing.assert_allclose(heads[:, 5], [1 / (1 + math.exp(-5)), 1 / (1 + math.exp(-3))], rtol=1e-4)
    np.testing.assert_allclose(heads[0, 1:5], [40 / 64, 0, 1, 24 / 64], atol=1e-6)
    np.testing.assert_allclose(right[:, 1:], heads[:, 1:], atol=1e-6)
    np.testing.assert_allclose(faces[0, 1:5], [40 / 64, 18 / 64, 58 / 64, 24 / 64], atol=1e-6)  # cut at its head


def test_what_is_found_is_read_again_in_the_mirror_from_where_it_was_moved_to() -> None:
    class Asked(Moved):
        read: list[tuple[bool, int, float]]

        def heads(
            self, pictures: object, scene: object, boxes: "torch.Tensor", row: object, turn: None, mirror: Mirror
        ) -> "tuple[None, torch.Tensor]":
            known, vectors = super().heads(pictures, scene, boxes, row, turn, mirror)
            self.read.append((mirror is not None, len(boxes), float(boxes[-1, 1])))
            # To the right and away from the camera in the picture; in the mirror to the right and as far towards it.
            vectors[:, 2] = -1.0 if self.mirrored else 1.0
            return known, vectors

    net = Asked()
    net.read = []

    with torch.no_grad():
        rows = DetectorGraph(net).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    assert net.read == [(False, 2, pytest.approx(8 / 64)), (True, 2, pytest.approx(4 / 64))]
    told = rows[(rows[:, 0] >= 8) & (rows[:, 0] < 16) & (rows[:, 5] > 0.01)]
    assert set(told[:, 0]) == {10}  # the mean of both: right-side


def test_what_the_first_reading_rejects_is_not_read_again() -> None:
    class Rejected(HandMade):
        counts: list[int]

        def again(
            self, known: None, logits: "torch.Tensor", boxes: "torch.Tensor", mirror: Mirror
        ) -> "tuple[torch.Tensor, torch.Tensor]":
            self.counts.append(len(boxes))
            return torch.where(boxes[:, 0] > 0.5, logits - 9.0, logits), boxes

    net = Rejected()
    net.counts = []

    with torch.no_grad():
        rows = DetectorGraph(net).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    assert net.counts == [2, 1]
    assert (rows[rows[:, 0] == HEAD, 5] > 0.01).sum() == 1


def test_what_is_not_worth_a_second_look_is_left_out_with_all_that_is_its() -> None:
    with torch.no_grad():
        rows = DetectorGraph(HandMade(), alone_from=0.9).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    told = rows[rows[:, 5] > 0.01]
    assert sorted(told[:, 0]) == [HEAD, 10, FACE]
    assert told[0, 5] == pytest.approx(1 / (1 + math.exp(-3)))


def test_heads_of_bodies_are_looked_at_from_less() -> None:
    class WithABody(HandMade):
        def forward(self, pictures: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
            maps, features = super().forward(pictures)
            maps[:, 0, 4, 6] = 2.0
            maps[:, 1:5, 4, 6] = math.log(3.5)
            return maps, features

    with torch.no_grad():
        alone, hung = (
            DetectorGraph(net, alone_from=0.99).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()
            for net in (HandMade(), WithABody())
        )

    assert not (alone[alone[:, 0] == HEAD, 5] > 0).any()
    heads = hung[(hung[:, 0] == HEAD) & (hung[:, 5] > 0)]
    np.testing.assert_allclose(heads[:, 1:5], [[40 / 64, 8 / 64, 1, 32 / 64]], atol=1e-6)


def test_heads_that_are_moved_to_one_place_are_one() -> None:
    class Together(HandMade):
        def again(
            self, known: None, logits: "torch.Tensor", boxes: "torch.Tensor", mirror: Mirror
        ) -> "tuple[torch.Tensor, torch.Tensor]":
            return -logits, torch.tensor([[0.1, 0.1, 0.3, 0.3]]).repeat(len(boxes), 1)

    with torch.no_grad():
        rows = DetectorGraph(Together(), alone_from=0.2).eval()(torch.zeros(1, 3, 64, 64))[0].numpy()

    heads = rows[(rows[:, 0] == HEAD) & (rows[:, 5] > 0.01)]
    np.testing.assert_allclose(heads[:, 5], [1 / (1 + math.exp(1))], rtol=1e-4)  # the surer one


def test_calibration_changes_scores_and_not_their_order() -> None:
    raw = torch.linspace(-6, 6, 50).sigmoid()
    calibration = Calibration({"body": (1.0, 0.0), "head": (0.5, 1.0), "face": (2.0, -1.0)})
    body, head, face = calibration(raw.repeat(3, 1))

    assert body.tolist() == pytest.approx(raw.tolist(), rel=1e-4)
    assert float(head[0]) == pytest.approx(1 / (1 + math.exp(2.0)), rel=1e-4)
    assert float(face[-1]) == pytest.approx(1 / (1 + math.exp(-11.0)), rel=1e-4)
    assert all((told.diff() > 0).all() for told in (body, head, face))
    assert not calibration(torch.zeros(3, 1)).any()


def test_calibrated_graphs_tell_the_same_boxes() -> None:
    graph = DetectorGraph(HandMade(), alone_from=0.0).eval()
    with torch.no_grad():
        plain = graph(torch.zeros(1, 3, 64, 64))[0]
        graph.calibration = Calibration(dict.fromkeys(("body", "head", "face"), (0.5, 0.5)))
        told = graph(torch.zeros(1, 3, 64, 64))[0]

    for label in (HEAD, FACE):
        before, after = (rows[rows[:, 0] == label][0] for rows in (plain, told))
        raw = math.log(before[5] / (1 - before[5]))
        assert after[1:5].tolist() == before[1:5].tolist()
        assert float(after[5]) == pytest.approx(1 / (1 + math.exp(-0.5 * raw - 0.5)), rel=1e-4)


Files = tuple[DetectorGraph, Path]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return a small detector with random weights that finds things, and its file."""
    return written(tmp_path_factory.mktemp("detector") / "detector.onnx")


def written(path: Path, alone_from: float = ALONE_FROM) -> Files:
    torch.manual_seed(0)
    net = DetectorNet((8, 16, 16, 16), 16)
    torch.nn.init.normal_(net.maps.weight, 0.0, 0.5)
    net.maps.bias.data[::5] = 0.0
    graph = DetectorGraph(net, alone_from).eval()
    fuse_batch_norm(graph)
    export_onnx(
        graph,
        (torch.rand(2, 3, 288, 480) * 255,),
        path,
        ["input_bgr"],
        {"label_xyxy_score": ("N", ROWS, 6)},
        {"input_bgr": {0: "N", 2: "H", 3: "W"}},
        "test",
    )
    return graph, path


def pictures(count: int, size_hw: tuple[int, int]) -> "torch.Tensor":
    """Return pictures with large and small spots."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand((count, 3, 9, 15), generator=generator) * 255
    return torch.nn.functional.interpolate(coarse, size=size_hw, mode="bilinear")


@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_rows_of_any_size_are_those_of_torch(size_hw: tuple[int, int], files: Files) -> None:
    graph, path = files

    worst = check_against_torch(path, graph, {"input_bgr": pictures(1, size_hw)}, tolerance=1e-3, rows_from_score=0.2)

    rows = one_thread_session(path).run(None, {"input_bgr": pictures(1, size_hw).numpy()})[0]
    assert rows.shape == (1, ROWS, 6)
    assert (rows[0, :, 5] > 0.2).sum() > 10  # there is something to compare
    assert worst < 1e-3


def test_rows_of_what_is_not_read_are_numbers_in_the_file(tmp_path: Path) -> None:
    _, path = written(tmp_path / "detector.onnx", alone_from=1.0)

    rows = one_thread_session(path).run(None, {"input_bgr": pictures(1, SIZES_HW[0]).numpy()})[0][0]

    assert np.isfinite(rows).all()
    assert ((rows[:, 0] == HEAD) & (rows[:, 5] == 0)).any()  # something was not read


def test_two_pictures_are_what_they_are_one_by_one(files: Files) -> None:
    session = one_thread_session(files[1])
    some = pictures(2, SIZES_HW[0]).numpy()

    def run(given: np.ndarray) -> np.ndarray:
        return session.run(None, {"input_bgr": given})[0]

    together, alone = run(some), np.concatenate([run(some[:1]), run(some[1:])])
    for mine, theirs in zip(together, alone, strict=True):
        sure = mine[mine[:, 5] > 0.2]
        assert np.abs(sure[:, None] - theirs[None]).max(2).min(1).max() < 1e-4
