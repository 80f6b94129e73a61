from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.cameras.time_code import LARGEST, draw_number, read_number


def picture(number: int, size_wh: tuple[int, int] = (640, 360)) -> np.ndarray:
    luma = np.random.default_rng(0).integers(0, 255, size_wh[::-1], np.uint8)
    draw_number(luma, number)
    return luma


@pytest.mark.parametrize("number", [0, 1, 0b1010_1010_1010_1010, 12_345, LARGEST])
@pytest.mark.parametrize("size_wh", [(64, 48), (320, 180), (640, 360), (1918, 1078)])
def test_a_number_is_read_as_it_was_drawn(number, size_wh):
    assert read_number(picture(number, size_wh)) == number


@pytest.mark.parametrize("size_wh", [(213, 120), (416, 416), (1280, 720)])
def test_a_number_survives_another_size_and_noise(size_wh):
    scaled = cv2.resize(picture(12_345), size_wh, interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(1).normal(0, 20, scaled.shape)

    assert read_number(np.clip(scaled + noise, 0, 255).astype(np.uint8)) == 12_345


def test_blocks_take_the_bottom_edge_alone():
    drawn = picture(0)

    assert np.array_equal(drawn[:330], np.random.default_rng(0).integers(0, 255, (360, 640), np.uint8)[:330])
    assert set(np.unique(drawn[330:])) == {16, 235}


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_number(seed):
    assert read_number(np.random.default_rng(seed).integers(0, 255, (360, 640), np.uint8)) is None


def test_plain_grey_is_no_number():
    assert read_number(np.full((360, 640), 128, np.uint8)) is None


@pytest.mark.parametrize("block", range(2, 20))
@pytest.mark.parametrize("level", ["grey", "turned"])
def test_a_spoiled_block_is_no_number(block, level):
    luma = picture(12_345)
    spoiled = luma[330:, block * 32 : block * 32 + 32]
    spoiled[:] = 128 if level == "grey" else 251 - spoiled

    assert read_number(luma) is None
