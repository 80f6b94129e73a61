"""What the height of a peak tells of in and out is fitted to what is true."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

pytest.importorskip("torch", reason="the training extra is not installed")

from nodes.ops.heatmap import in_frame_by_peak
from pipeline.card_fields import GazeOutputs, PeakInFrame
from pipeline.errors import ModelError
from training.peak_in_frame import Heads, figures, fitted, main


def heads(count: int, even_at: float, slope: float) -> Heads:
    """Return heads whose targets are in the frame as often as their peaks say."""
    rng = np.random.default_rng(1)
    peak = rng.uniform(0.02, 0.9, count).astype(np.float32)
    chance = in_frame_by_peak(peak[:, None, None], even_at, slope)
    return Heads(peak, chance, rng.random(count) < chance)


@pytest.mark.parametrize(("even_at", "slope"), [(0.3, 1.0), (0.15, 2.5)])
def test_the_values_that_made_the_truth_are_found_again(even_at: float, slope: float) -> None:
    found = fitted(heads(20_000, even_at, slope))

    assert (found.even_at, found.slope) == (pytest.approx(even_at, abs=0.02), pytest.approx(slope, rel=0.05))


def test_peaks_that_are_higher_where_nothing_is_looked_at_are_refused() -> None:
    upside_down = heads(500, 0.3, 1.0)

    with pytest.raises(ModelError) as error:
        fitted(Heads(upside_down.peak, upside_down.told, ~upside_down.inside))

    assert str(error.value).startswith(
        "peak_in_frame: expected higher peaks where people look into the frame, got a slope of -"
    )


def test_figures_are_those_of_the_peak_and_of_in_out_beside_it() -> None:
    peak, told, inside = [0.5, 0.9, 0.5, 0.1], [0.9, 0.9, 0.2, 0.1], [True, True, False, False]

    found = figures(Heads(np.array(peak), np.array(told), np.array(inside)), PeakInFrame(even_at=0.5, slope=1.0))

    assert (found["heads"], found["in_frame"]) == (4, 0.5)
    assert (found["ap_by_peak"], found["ap_by_in_out"]) == (pytest.approx(0.8333, abs=1e-4), 1.0)
    assert found["surprise_by_peak"] == pytest.approx(-np.log(0.5 * 0.9 * 0.5 * 0.9) / 4, abs=1e-4)
    assert found["surprise_by_in_out"] == pytest.approx(-np.log(0.9 * 0.9 * 0.8 * 0.9) / 4, abs=1e-4)
    assert found["surprise_of_the_share"] == pytest.approx(np.log(2), abs=1e-4)


def test_a_block_for_the_card_comes_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stills", "plain:3000000+10"]) == 0

    said = capsys.readouterr().out
    told = GazeOutputs(**yaml.safe_load(said)["gaze"]).peak_in_frame
    assert told is not None
    assert [line.partition(":")[0] for line in said.splitlines()[:4]] == [
        "# heads",
        "# in_frame",
        "# ap_by_peak",
        "# ap_by_in_out",
    ]


def test_too_few_stills_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^--stills: expected people who look into the frame and others .*more stills$"
    ):
        main(["--stills", "plain:3000000+1"])
