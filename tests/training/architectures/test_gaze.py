"""Gaze-LLE with random weights: counts, golden values of the decoder, and what the written file does."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.architectures.gaze_decoder import GazeDecoder, head_masks, position_table  # noqa: E402
from training.architectures.names import architectures  # noqa: E402
from training.architectures.vit import rotary_angles, rotary_periods, turned  # noqa: E402
from training.architectures.write import random_inputs, random_network  # noqa: E402
from training.export import check_against_torch, one_thread_session  # noqa: E402

KNOWN = architectures()
ATTO = "gazelle-dinov3-atto"


def count(network: "torch.nn.Module") -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.fixture(scope="module")
def atto(written: Callable[[str], Path]) -> Path:
    return written(ATTO)


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [(192, 2_679_296), (256, 2_695_680), (384, 2_728_448), (512, 2_761_216), (768, 2_826_752)],
)
def test_decoder_has_the_parameters_of_upstreams(channels: int, wanted: int) -> None:
    with torch.device("meta"):
        assert count(GazeDecoder(channels, 20, "none")) == wanted
        assert count(GazeDecoder(channels, 20, "linear")) == wanted + 513
        assert count(GazeDecoder(channels, 20, "mlp")) == wanted + 256 + 256 * 128 + 128 + 128 + 1


@pytest.mark.parametrize(
    ("size", "total"),
    [
        ("atto", 2.93),
        ("femto", 3.15),
        ("pico", 3.51),
        ("n", 4.61),
        ("s", 8.17),
        ("m", 12.37),
        ("l", 24.33),
        ("x", 31.43),
        ("xl", 88.50),
    ],
)
def test_models_have_the_parameters_that_were_published(size: str, total: float) -> None:
    with torch.device("meta"):
        assert round(count(KNOWN[f"gazelle-dinov3-{size}-gazefollow"].build()) / 1e6, 2) == total


@pytest.mark.parametrize(("size", "wanted"), [("atto", 0.23), ("femto", 0.39), ("pico", 0.75), ("n", 1.85)])
def test_backbones_have_the_parameters_that_were_published(size: str, wanted: float) -> None:
    with torch.device("meta"):
        assert round(count(KNOWN[f"gazelle-dinov3-{size}"].build().backbone) / 1e6, 2) == wanted


@pytest.mark.parametrize(("size", "backbone"), [("b", 86_580_480), ("l", 304_368_640)])
def test_dinov2_models_have_the_parameters_of_their_backbones(size: str, backbone: int) -> None:
    with torch.device("meta"):
        assert count(KNOWN[f"gazelle-dinov2-{size}"].build().backbone) == backbone


def test_periods_of_rotary_positions() -> None:
    np.testing.assert_allclose(rotary_periods()[[0, 1, 8, 15]], [1, 1.33352, 10, 74.9894], rtol=1e-5)


def test_rotary_positions_turn_by_row_then_column() -> None:
    angles = rotary_angles(4).reshape(4, 4, 64)

    assert float(angles[0, 3, 0]) == pytest.approx(2 * math.pi * -0.75)  # row 0 of 4: -1 + 1 / 4
    assert float(angles[0, 3, 16]) == pytest.approx(2 * math.pi * 0.75)
    torch.testing.assert_close(angles[..., 32:], angles[..., :32])


def test_turned_vectors_keep_their_length_and_what_is_no_patch() -> None:
    vectors = torch.rand(1, 2, 5, 64)
    angles = rotary_angles(2)

    got = turned(vectors, angles.cos(), angles.sin())

    torch.testing.assert_close(got[:, :, 0], vectors[:, :, 0])
    torch.testing.assert_close(got.norm(dim=-1), vectors.norm(dim=-1))
    pair = vectors[0, 0, 1, [0, 32]]
    angle = angles[0, 0]
    assert float(got[0, 0, 1, 0]) == pytest.approx(float(pair[0] * angle.cos() - pair[1] * angle.sin()), abs=1e-6)


def test_positions_are_encoded_as_upstream() -> None:
    table = position_table(20)

    got = [float(table[channel, 5, 3]) for channel in (2, 3, 128, 129)]
    np.testing.assert_allclose(got, [0.5173057, -0.8558007, -0.9589243, 0.2836622], atol=1e-6)
    np.testing.assert_array_equal(table[:2, :, 0], [[0.0] * 20, [1.0] * 20])
    wave = [float(torch.arcsin(table[2 * k, 0, 1])) for k in (1, 63)]
    np.testing.assert_allclose(wave, [0.8659643, 0.000115478], atol=1e-6)


@pytest.mark.parametrize(
    ("grid", "columns", "rows"), [(40, (4, 19), (8, 27)), (20, (2, 9), (4, 13)), (26, (3, 12), (5, 17))]
)
def test_heads_cover_the_cells_of_their_rounded_boxes(
    grid: int, columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    cells = head_masks(torch.tensor([[0.1, 0.2, 0.5, 0.7]]), grid)[0].nonzero()

    assert (cells[:, 1].min(), cells[:, 1].max()) == columns
    assert (cells[:, 0].min(), cells[:, 0].max()) == rows


@pytest.mark.parametrize(
    ("x1", "x2", "columns"), [(0.5, 1.5, [0, 1]), (2.5, 3.5, [2, 3]), (1.5, 2.5, []), (0.0, 0.0, [])]
)
def test_halves_are_rounded_to_even_cells(x1: float, x2: float, columns: list[int]) -> None:
    mask = head_masks(torch.tensor([[x1 / 8, 0.0, x2 / 8, 1.0]]), 8)[0]

    assert mask[0].nonzero().flatten().tolist() == columns


def test_file_keeps_upstreams_names_and_shapes(atto: Path) -> None:
    session = one_thread_session(atto)

    assert atto.name == "gazelle_hgnetv2_atto_inout_distill_1x3x320x320_1xNx4.onnx"
    assert [(given.name, given.shape) for given in session.get_inputs()] == [
        ("image_bgr", [1, 3, 320, 320]),
        ("bboxes_x1y1x2y2", [1, "heads", 4]),
    ]
    assert [(made.name, made.shape) for made in session.get_outputs()] == [
        ("heatmap", ["heads", "32", "32"]),
        ("inout", ["heads"]),
    ]


def test_file_answers_like_torch_for_any_number_of_heads(atto: Path) -> None:
    network = random_network(ATTO, KNOWN[ATTO])

    for heads in (1, 3, 7):
        inputs = dict(zip(KNOWN[ATTO].inputs, random_inputs(KNOWN[ATTO], heads, heads=heads), strict=True))
        assert check_against_torch(atto, network, inputs) < 1e-4


def test_rows_of_outputs_are_those_of_heads(atto: Path) -> None:
    session = one_thread_session(atto)
    image, boxes = (given.numpy() for given in random_inputs(KNOWN[ATTO], 5, heads=4))

    maps, inout = session.run(None, {"image_bgr": image, "bboxes_x1y1x2y2": boxes})
    turned = session.run(None, {"image_bgr": image, "bboxes_x1y1x2y2": boxes[:, ::-1].copy()})

    np.testing.assert_allclose(turned[0], maps[::-1], atol=1e-5)
    np.testing.assert_allclose(turned[1], inout[::-1], atol=1e-5)
    assert np.abs(maps[:, None] - maps[None]).max(axis=(2, 3))[~np.eye(4, dtype=bool)].min() > 0.1
    assert maps.min() >= 0 and 0.2 < maps.max() < 1  # neither flat nor saturated
    assert inout.shape == (4,) and (inout > 0).all() and (inout < 1).all()
