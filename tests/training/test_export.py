"""Files are halved, keep what they say, and run without inputs that have a default."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.export import (  # noqa: E402
    check_against_torch,
    default_input,
    export_onnx,
    milliseconds,
    one_thread_session,
    store_as_half,
)


class Rows(torch.nn.Module):
    """Rows of a picture chosen by index, through weights that are much of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(3, 64, 3), torch.nn.ReLU(), torch.nn.Conv2d(64, 64, 3), torch.nn.Sigmoid()
        )

    def forward(self, pictures: "torch.Tensor", row: "torch.Tensor") -> "torch.Tensor":
        return self.layers(pictures).mean((2, 3))[row]


Made = tuple[Rows, Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    torch.manual_seed(0)
    net, path = Rows().eval(), tmp_path / "rows.onnx"
    export_onnx(
        net,
        (torch.rand(2, 3, 16, 16), torch.tensor([0, 1, 1])),
        path,
        ["pictures", "row"],
        {"told": ("heads", 64)},
        {"pictures": {0: "N"}, "row": {0: "heads"}},
        "a test",
    )
    return net, path


def feed(pictures: int = 2) -> "dict[str, torch.Tensor]":
    seen = torch.rand((pictures, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    return {"pictures": seen, "row": torch.tensor([1, 0, 1, 1])}


def test_files_are_those_of_torch_with_as_many_rows_as_are_asked(made: Made) -> None:
    assert check_against_torch(made[1], made[0], feed()) < 1e-5


def test_half_precision_halves_the_file_and_hardly_moves_what_it_tells(made: Made) -> None:
    net, path = made
    whole = path.stat().st_size

    store_as_half(path)

    assert 0.45 * whole < path.stat().st_size < 0.55 * whole
    assert 0 < check_against_torch(path, net, feed(), tolerance=1e-2) < 1e-2
    (told,) = one_thread_session(path).run(None, {name: value.numpy() for name, value in feed().items()})
    assert told.dtype == np.float32


def test_small_weights_stay_whole(made: Made) -> None:
    before = made[1].stat().st_size

    store_as_half(made[1], least_values=10**6)

    assert abs(made[1].stat().st_size - before) < 0.01 * before


def test_an_input_with_a_default_need_not_be_fed(made: Made) -> None:
    path = made[1]
    default_input(path, "row")
    session = one_thread_session(path)
    pictures = feed()["pictures"].numpy()

    (without,) = session.run(None, {"pictures": pictures[1:]})
    (with_it,) = session.run(None, {"pictures": pictures, "row": np.array([1, 0])})

    assert [value.name for value in session.get_inputs()] == ["pictures"]
    assert without.shape == (1, 64)
    np.testing.assert_allclose(with_it[:1], without, atol=1e-6)


def test_a_file_of_other_weights_is_refused(made: Made) -> None:
    net, path = made
    with torch.no_grad():
        net.layers[0].weight.mul_(1.5)

    with pytest.raises(
        ValueError, match=r"^rows\.onnx: expected outputs within 0\.0001 of torch, got a difference of "
    ):
        check_against_torch(path, net, feed())


def test_rows_are_compared_wherever_they_stand(made: Made) -> None:
    from training.export import _difference

    mine = np.array([[[7, 0, 0, 1, 1, 0.9], [0, 0, 0, 1, 1, 0.9], [0, 0, 0, 0, 0, 0.1]]])
    theirs = np.array([[[0, 0, 0, 1, 1, 0.91], [7, 0, 0, 1, 1, 0.9], [5, 5, 5, 5, 5, 0.1]]])

    assert _difference(mine, theirs, 0.5) == pytest.approx(0.01)


@pytest.mark.parametrize(("rows", "worst"), [(10, 0.5), (11, 0.0), (30, 0.0)])
def test_one_row_in_thirty_and_of_eleven_may_be_another_peak(rows: int, worst: float) -> None:
    from training.export import _difference

    theirs = np.full((1, rows, 6), 0.9)
    mine = theirs.copy()
    mine[0, 3, 1] = 0.4

    assert _difference(mine, theirs, 0.5) == pytest.approx(worst)


def test_time_is_that_of_one_run(made: Made) -> None:
    assert 0 < milliseconds(made[1], {name: value.numpy() for name, value in feed().items()}, runs=3) < 1000
