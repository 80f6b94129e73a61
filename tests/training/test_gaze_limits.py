"""What the gaze model would tell if it knew directions: true ones, turned off by a known amount."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from tests.training.rows import still_rows  # noqa: E402
from training import gaze_limits  # noqa: E402
from training.batches import still  # noqa: E402
from training.cards import GAZE_FILE  # noqa: E402
from training.gaze_limits import Told, main, turned  # noqa: E402
from training.measure_gaze import Feed, feed_of, measure_gaze  # noqa: E402
from training.record import MODELS  # noqa: E402
from training.shipped_weights import read_gaze  # noqa: E402


def random_vectors(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal((count, 2, 3))
    return (vectors / np.linalg.norm(vectors, axis=2, keepdims=True)).reshape(count, 6)


def degrees(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(np.degrees(np.arccos((one * other).sum(1).clip(-1, 1))))


def test_gazes_are_turned_by_a_normal_angle_and_heads_with_them() -> None:
    vectors = random_vectors(4000)

    off = turned(vectors, 20.0, np.random.default_rng(1))

    gaze_off = degrees(off[:, 3:], vectors[:, 3:])
    assert np.sqrt((gaze_off**2).mean()) == pytest.approx(20.0, rel=0.05)
    assert (degrees(off[:, :3], vectors[:, :3]) <= gaze_off + 1e-3).all()
    between = degrees(vectors[:, :3], vectors[:, 3:])
    np.testing.assert_allclose(degrees(off[:, :3], off[:, 3:]), between, atol=1e-4)


def test_turned_by_nothing_they_stay() -> None:
    np.testing.assert_allclose(turned(random_vectors(5), 0.0, np.random.default_rng(1)), random_vectors(5), atol=1e-12)


@pytest.fixture(scope="module")
def asked() -> tuple[Feed, np.ndarray]:
    picture, people = still(still_rows(1, people=2), 0)
    vectors = random_vectors(2).astype(np.float32)
    return feed_of(picture, people, np.ones(2, bool)), vectors


def test_maps_follow_the_directions_that_are_given(asked: tuple[Feed, np.ndarray]) -> None:
    graph = read_gaze(MODELS / GAZE_FILE, "--gaze")
    as_read, true = Told(graph, None, 0), Told(graph, 0.0, 0)

    maps = [told(*asked)[0] for told in (as_read, true)]

    assert true.off_deg == pytest.approx([0, 0], abs=0.1)
    assert min(as_read.off_deg) > 1
    assert np.abs(maps[0] - maps[1]).max() > 0.05


def test_the_first_row_is_what_the_file_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = still_rows(2, people=2)
    monkeypatch.setattr(gaze_limits, "rendered", lambda kind, texts: [rows])
    monkeypatch.setattr(gaze_limits, "TURNED_DEG", (0.0,))

    assert main([]) == 0

    _, as_read, true = capsys.readouterr().out.splitlines()
    assert float(as_read.split()[-4]) == pytest.approx(measure_gaze(MODELS / GAZE_FILE, rows)["gaze_auc"], abs=1e-3)
    assert true.startswith("true, turned 0 ")
