"""Head crops are cut as the graphs cut them, and mirrored with their vectors."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import FRONT, RIGHT, crop_rows, still_rows  # noqa: E402
from training.data import Rows  # noqa: E402
from training.draws import Draws  # noqa: E402
from training.head_crops import CropDraws, cut  # noqa: E402
from training.head_net import crop_heads, vector_loss, yaw_loss  # noqa: E402


@pytest.mark.parametrize(
    "box",
    [
        pytest.param((0.3, 0.3, 0.6, 0.8), id="inside"),
        pytest.param((0.31, 0.42, 0.335, 0.477), id="smaller than the crop"),
        pytest.param((0.0, 0.0, 0.2, 0.3), id="in a corner"),
        pytest.param((0.7, 0.6, 1.0, 1.0), id="at the other edges"),
        pytest.param((0.1, 0.1, 0.9, 0.95), id="larger than the picture"),
    ],
)
def test_cut_agrees_with_the_graphs(box: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(0)
    picture = np.repeat(np.repeat(rng.integers(0, 255, (24, 40, 3), np.uint8), 4, 0), 4, 1)
    where = np.array(box, np.float32)

    mine = cut(picture, where * np.array([160, 96, 160, 96], np.float32))
    theirs = crop_heads(
        torch.from_numpy(picture).permute(2, 0, 1)[None].float(), torch.from_numpy(where)[None], torch.zeros(1).long()
    )[0]

    apart = np.abs(mine.astype(np.float64) - theirs.permute(1, 2, 0).numpy())
    # OpenCV places samples on 32nds of a pixel, so at an edge of full contrast it may be off by a few levels.
    assert apart.mean() < 1.0
    assert apart.max() < 255 / 32 + 1


def test_of_smooth_pictures_every_pixel_agrees_within_a_grey_level() -> None:
    ramp = np.linspace(0, 200, 160, dtype=np.float32) + np.linspace(0, 50, 96, dtype=np.float32)[:, None]
    picture = np.repeat(ramp.round().astype(np.uint8)[..., None], 3, 2)
    where = np.array([0.2, 0.1, 0.5, 0.9], np.float32)

    mine = cut(picture, where * np.array([160, 96, 160, 96], np.float32))
    theirs = crop_heads(
        torch.from_numpy(picture).permute(2, 0, 1)[None].float(), torch.from_numpy(where)[None], torch.zeros(1).long()
    )[0]

    assert np.abs(mine.astype(np.float64) - theirs.permute(1, 2, 0).numpy()).max() <= 1.0


def draws(crops: Rows, stills: Rows, crops_each: int = 6, stills_each: int = 2, seed: int = 0) -> CropDraws:
    return CropDraws(Draws([crops], seed), Draws([stills], seed), crops_each, stills_each, seed)


def halves(rows: Rows) -> Rows:
    """Return the rows with what is on the image's left black and the rest white."""
    pictures = rows.pictures.copy()
    middle = pictures.shape[2] // 2
    pictures[:, :, :middle], pictures[:, :, middle:] = 0, 255
    return Rows(pictures, rows.truth, rows.count)


def test_mirroring_turns_picture_and_vectors_together() -> None:
    some = draws(halves(crop_rows(8, RIGHT)), still_rows(4), crops_each=8)

    sides = set()
    for step in range(6):
        crops, vectors = some(step)
        for crop, vector in zip(crops[:8], vectors[:8], strict=True):
            white_is_right = crop[:, -8:].mean() > crop[:, :8].mean()
            sides.add(bool(white_is_right))
            assert vector.tolist() == ([1, 0, 0, 1, 0, 0] if white_is_right else [-1, 0, 0, -1, 0, 0])

    assert sides == {True, False}


def test_a_batch_holds_crops_and_the_judged_heads_of_stills() -> None:
    stills = still_rows(4, people=3)
    stills.truth["head_visible"][:, 1] = 0.1

    crops, vectors = draws(crop_rows(8), stills)(0)

    assert (crops.dtype, crops.shape[1:], vectors.dtype) == (np.uint8, (48, 48, 3), np.float32)
    assert len(crops) == len(vectors)
    assert 6 < len(crops) <= 6 + 2 * 2
    np.testing.assert_array_equal(np.abs(vectors), np.tile(np.abs([*FRONT, *FRONT]), (len(vectors), 1)))


def test_a_batch_is_that_of_its_seed_and_step() -> None:
    rows = crop_rows(8), still_rows(4, people=2)

    one, same, later, other = draws(*rows)(3), draws(*rows)(3), draws(*rows)(4), draws(*rows, seed=1)(3)

    np.testing.assert_array_equal(one[0], same[0])
    np.testing.assert_array_equal(one[1], same[1])
    assert one[0].tobytes() != later[0].tobytes()
    assert one[0].tobytes() != other[0].tobytes()


def test_vector_loss_by_hand() -> None:
    wanted = torch.tensor([[1.0, 0, 0, 0, 1, 0]])

    same = float(vector_loss(wanted, wanted))
    turned = float(vector_loss(torch.tensor([[0.0, 1, 0, 0, 1, 0]]), wanted))
    longer = float(vector_loss(2 * wanted, wanted))

    assert same == pytest.approx(2 * 1e-3**0.5, abs=1e-4)  # what keeps the slope finite at 0
    assert turned - same == pytest.approx(2**0.5 - 1e-3**0.5, abs=1e-3)
    assert longer - same == pytest.approx(2 * 0.1, abs=1e-3)


def test_vectors_that_nobody_knows_are_not_learnt() -> None:
    wanted = torch.tensor([[0.0, 0, -1, 0, 0, -1], [1, 0, 0, torch.nan, torch.nan, torch.nan]])
    told = torch.tensor([[0.0, 0, -1, 0, 0, -1], [0, 0, -1, 0.3, 0.2, 0.1]], requires_grad=True)

    loss = vector_loss(told, wanted)
    (slope,) = torch.autograd.grad(loss, told)

    # The one gaze that is known is right; of two heads, one is off by the square root of two.
    assert loss.item() == pytest.approx(2**0.5 / 2, abs=0.06)
    assert torch.isfinite(slope).all() and (slope[1, 3:] == 0).all() and slope[1, 0] != 0
    assert vector_loss(told, torch.full((2, 6), torch.nan)).item() == 0


def test_yaw_loss_asks_no_less_of_heads_that_point_down() -> None:
    level, down = torch.tensor([[1.0, 0, 0, 0, 1, 0]]), torch.tensor([[0.5, 0.75**0.5, 0, 0, 1, 0]])
    turned_level, turned_down = level[:, [2, 1, 0, 3, 4, 5]], down[:, [2, 1, 0, 3, 4, 5]]  # by 90 degrees

    same = float(yaw_loss(level, level))

    assert same == pytest.approx(1e-3**0.5, abs=1e-2)  # what keeps the slope finite at 0
    assert float(yaw_loss(turned_level, level)) == pytest.approx(2**0.5, abs=0.02)
    assert float(yaw_loss(turned_down, down)) == pytest.approx(2**0.5, abs=0.04)
    assert float(yaw_loss(down, level)) == pytest.approx(same, abs=0.02)  # it points down, but nowhere else


def test_yaw_loss_learns_nothing_of_heads_without_a_yaw() -> None:
    told = torch.tensor([[1.0, 0, 0, 0, 1, 0], [0.0, 0.1, -1, 0, 0, 1]], requires_grad=True)
    steep = torch.tensor([[0.0, 0.99, -0.1, 0, 1, 0], [0.6, 0, -0.8, 0, 0, 1]])

    yaw_loss(told, steep).backward()

    assert told.grad is not None
    assert not told.grad[0].any()
    assert told.grad[1, 0] < 0  # to the right
    assert float(yaw_loss(told[:1], steep[:1]).detach()) == 0
    assert float(yaw_loss(told[:0], steep[:0]).detach()) == 0
