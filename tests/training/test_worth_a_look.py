"""Which boxes are worth a second look: the surer ones, and those that lie where the head of a body is."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.worth_a_look import at_top, worth_a_look  # noqa: E402

BODY = [0.2, 0.2, 0.4, 0.8]
AT_TOP, IN_THE_MIDDLE, BESIDE = [0.25, 0.2, 0.35, 0.3], [0.25, 0.45, 0.35, 0.55], [0.5, 0.2, 0.6, 0.3]


def told(raw: float, body_raw: float, box: list[float] = AT_TOP) -> float:
    some = worth_a_look(
        torch.tensor([[box]]), torch.tensor([[raw]]), torch.tensor([[BODY]]), torch.tensor([[body_raw]])
    )
    return float(some)


@pytest.mark.parametrize(("raw", "worth"), [(0.28, 1.0), (0.26, 0.0)])
def test_a_box_alone_must_be_sure_by_itself(raw: float, worth: float) -> None:
    assert told(raw, body_raw=0.0) == told(raw, body_raw=0.9, box=BESIDE) == worth


@pytest.mark.parametrize(("raw", "worth"), [(0.16, 1.0), (0.14, 0.0)])
def test_a_box_on_a_body_needs_less(raw: float, worth: float) -> None:
    assert told(raw, body_raw=0.41) == worth
    assert told(raw, body_raw=0.39) == 0.0


@pytest.mark.parametrize(
    ("box", "there"),
    [
        (AT_TOP, 1.0),
        ([0.25, 0.14, 0.35, 0.23], 1.0),  # a little above the box of its body
        ([0.25, 0.1, 0.35, 0.2], 0.0),
        (IN_THE_MIDDLE, 0.0),
        (BESIDE, 0.0),
    ],
)
def test_heads_are_at_the_top_of_bodies(box: list[float], there: float) -> None:
    assert at_top(torch.tensor([[box]]), torch.tensor([[BODY]])).tolist() == [[[there]]]


def test_each_picture_has_its_own_bodies() -> None:
    boxes, raw = torch.tensor([[AT_TOP, BESIDE]] * 2), torch.full((2, 2), 0.2)
    bodies, bodies_raw = torch.tensor([[BODY, BODY]] * 2), torch.tensor([[0.9, 0.0], [0.0, 0.0]])

    assert worth_a_look(boxes, raw, bodies, bodies_raw).tolist() == [[1.0, 0.0], [0.0, 0.0]]
