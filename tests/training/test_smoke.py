"""The smoke test of the recipe: what it asks, what it says, and a run that is far too short to learn anything."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import crop_rows, still_rows  # noqa: E402
from training import data, detector, gaze, smoke, smoke_checks  # noqa: E402
from training.data import Rows, SeedSet  # noqa: E402
from training.head_net import HeadNet  # noqa: E402
from training.loop import save_weights  # noqa: E402
from training.recipe import sets_of  # noqa: E402
from training.smoke_checks import mirrored, people_found, rank, sides_told, targets_found, together  # noqa: E402


def test_the_mirror_of_a_set_is_what_a_mirror_shows() -> None:
    rows = still_rows(1, people=2)
    rows.pictures[0, :, :10] = 0
    rows.truth["head_vector"][0, 0] = (0.6, 0.0, -0.8)

    seen = mirrored(rows)

    assert (seen.pictures[0, :, -10:] == 0).all()
    assert seen.truth["head_vector"][0, 0].tolist() == pytest.approx([-0.6, 0.0, -0.8])
    x1, y1, x2, y2 = rows.truth["head_box"][0, 0]
    assert seen.truth["head_box"][0, 0].tolist() == pytest.approx([1 - x2, y1, 1 - x1, y2])
    assert seen.truth["target_point"][0, 0, 0] == pytest.approx(1 - rows.truth["target_point"][0, 0, 0])
    again = mirrored(seen)
    np.testing.assert_array_equal(again.pictures, rows.pictures)
    for name in rows.truth.dtype.names or ():
        np.testing.assert_allclose(again.truth[name][0, :2], rows.truth[name][0, :2], atol=1e-6)


def test_sets_are_put_together_in_order() -> None:
    both = together([crop_rows(2), crop_rows(3)])

    assert both.pictures[:, 0, 0, 0].tolist() == [0, 1, 0, 1, 2]
    assert (len(both.truth), len(both.count)) == (5, 5)


def test_sides_are_those_of_heads_that_are_turned() -> None:
    assert sides_told(np.array([0.1, -0.9, 0.3]), np.array([0.9, 0.6, -0.2])) == 0.5


def test_ranks_by_hand() -> None:
    assert rank(np.array([3.0, 1.0]), np.array([2.0, 1.0])) == (2 + 0.5) / 4


class Told:
    """Stands in for a session: gives the same answer for every picture."""

    def __init__(self, *answers: np.ndarray) -> None:
        self.answers = list(answers)

    def run(self, outputs: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        return [self.answers.pop(0)]


def test_heads_are_found_by_scores_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two stills, a head each; the file finds the first well, and nothing in the second but a head of the first."""
    rows = still_rows(2)
    rows.truth["head_box"][1, 0] = (0.6, 0.3, 0.7, 0.5)
    first = rows.truth["head_box"][0, 0]
    there = np.array([[[7, *first, 0.8], [0, 0.6, 0.3, 0.7, 0.5, 0.9]]], np.float32)
    wrong = np.array([[[7, *first, 0.4], [7, 0.61, 0.31, 0.71, 0.51, 0.0]]], np.float32)
    monkeypatch.setattr(smoke_checks, "one_thread_session", lambda _: Told(there, wrong))

    found, overlap = people_found(Path("x"), rows, "head")

    assert found == ((0.8 > 0.0) + (0.8 > 0.4) + 0.5 * (0.0 == 0.0) + 0) / 4
    assert overlap == pytest.approx((1.0 + 0.09 * 0.19 / (2 * 0.02 - 0.09 * 0.19)) / 2, abs=1e-4)


def test_targets_are_found_by_maps_at_them(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = still_rows(1, people=2)
    rows.truth["target_point"][0, :2] = (0.1, 0.1), (0.9, 0.9)
    maps = np.zeros((2, 64, 64), np.float32)
    maps[0, 6, 6] = 1  # the first looks where it should
    maps[1, 6, 6], maps[1, 57, 57] = 0.5, 0.2  # the second does not

    monkeypatch.setattr(smoke_checks, "one_thread_session", lambda _: Told(maps))

    assert targets_found(Path("x"), rows) == 0.5


def test_figures_out_of_their_bounds_are_told_with_where_to_look() -> None:
    good = {name: abs(bound) for name, (bound, _) in smoke.BOUNDS.items()}
    assert smoke.failures(good) == []

    said = smoke.failures(good | {"head_sides": 0.4, "gaze_loss_left": float("nan")})

    assert said == [
        "head_sides: expected at least 0.75, got 0.400; " + smoke.BOUNDS["head_sides"][1],
        "gaze_loss_left: expected at most 0.88, got nan; " + smoke.BOUNDS["gaze_loss_left"][1],
    ]


def test_its_seeds_are_learnt_nowhere_else() -> None:
    last = smoke.FIRST_SEED + smoke.NEXT_SEED * len(smoke.STYLES)
    size = smoke.Size()
    assert max(size.stills, size.crops) < smoke.NEXT_SEED

    for kind in ("stills", "crops"):
        for text in sets_of(kind):
            other = SeedSet.parse(kind, text)
            assert other.first + other.count <= smoke.FIRST_SEED or last <= other.first


TINY = smoke.Size(stills=2, crops=3, head_steps=2, detector_steps=1, gaze_steps=1)
Made = tuple[Rows, Rows, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Return crops and stills of two styles, and weights of a fresh head network."""
    folder = tmp_path_factory.mktemp("smoke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(smoke, "STYLES", ("plain", "full"))
        patch.setattr(data.os, "cpu_count", lambda: 1)
        crops, stills = smoke.made(TINY, folder)
    torch.manual_seed(0)
    save_weights(HeadNet().state_dict(), folder / "head.npz")
    return crops, stills, folder


def test_a_head_network_that_learnt_nothing_is_told_so(made: Made) -> None:
    crops, stills, folder = made

    figures = smoke.head_figures(TINY, crops, stills, folder / "head")

    assert set(figures) == {"head_loss_left", "head_sides", "head_sides_mirrored"}
    assert "head_loss_left" in " ".join(smoke.failures(figures))


def test_a_detector_that_learnt_nothing_is_opened_and_told_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, stills, folder = made
    monkeypatch.setattr(detector, "milliseconds", lambda *_: 0.0)

    figures = smoke.detector_figures(TINY, stills, folder / "detector", folder / "head.npz")

    assert set(figures) == {name for name in smoke.BOUNDS if name.startswith(("detector", "heads", "bodies"))}
    assert "detector_loss_left" in " ".join(smoke.failures(figures))


def test_a_gaze_network_that_learnt_nothing_is_opened_and_told_so(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    _, stills, folder = made
    monkeypatch.setattr(gaze, "milliseconds", lambda *_: 0.0)

    figures = smoke.gaze_figures(TINY, stills, folder / "gaze", folder / "head.npz")

    assert set(figures) == {name for name in smoke.BOUNDS if name.startswith(("gaze", "targets"))}
    assert figures["gaze_difference"] < 0.02
    assert "gaze_loss_left" in " ".join(smoke.failures(figures))
