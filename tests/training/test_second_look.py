"""A second look at heads: what it says before it has learnt, what it learns from, and that it learns."""

import pytest

torch = pytest.importorskip("torch", reason="the training extra is not installed")

from training.second_look import SecondLook  # noqa: E402
from training.second_look_loss import Candidates, TrueHeads, candidates, second_losses  # noqa: E402

HEAD, SAME, LEFT_OF_IT, ELSEWHERE = (
    [0.4, 0.4, 0.5, 0.5],
    [0.41, 0.4, 0.51, 0.5],
    [0.35, 0.4, 0.45, 0.5],
    [0.7, 0.7, 0.8, 0.8],
)


def boxes(*some: list[float]) -> "torch.Tensor":
    return torch.tensor(some)


def true(*some: list[float], judged: bool = True) -> TrueHeads:
    count = len(some)
    return TrueHeads(torch.tensor(some).reshape(-1, 4), torch.zeros(count).long(), torch.full((count,), judged))


def looked(*some: list[float]) -> Candidates:
    return Candidates(boxes(*some), torch.zeros(len(some)), torch.zeros(len(some)).long())


def wrongness(logit: float, *some: list[float], truth: TrueHeads, moved: "torch.Tensor | None" = None) -> float:
    """Return the loss of being as sure as `logit` of the first box and undecided of the others."""
    first = looked(*some)
    logits = torch.tensor([logit] + [0.0] * (len(some) - 1))
    return float(second_losses(first, logits, first.boxes if moved is None else moved, truth)["head_again"])


def test_before_it_has_learnt_it_says_what_the_maps_say() -> None:
    logits, first = torch.tensor([0.5, -2.0]), boxes(HEAD, ELSEWHERE)

    told, moved = SecondLook()(torch.randn(2, 96), logits, first)

    torch.testing.assert_close(told, logits)
    torch.testing.assert_close(moved, first)


def test_boxes_are_moved_in_their_own_sides_and_not_far() -> None:
    look = SecondLook()
    look.told.bias.data.copy_(torch.tensor([1.0, 0.01, 99.0, 0.0, -99.0]))

    told, moved = look(torch.zeros(1, 96), torch.tensor([0.5]), boxes([0.4, 0.4, 0.6, 0.5]))

    assert told.tolist() == pytest.approx([1.5])
    half = 0.05 / 2.0137527  # exp(0.7)
    assert moved[0].tolist() == pytest.approx([0.402, 0.5 - half, 0.602, 0.5 + half], abs=1e-6)


def test_what_is_looked_at_is_what_the_maps_give_enough() -> None:
    maps = torch.zeros(2, 5, 8, 8)
    maps[:, 0] = -9.0
    maps[0, 0, 1, 1], maps[0, 0, 1, 5], maps[0, 0, 5, 5], maps[1, 0, 3, 3] = 2.0, 1.0, -3.0, 0.0

    all_of_them, one_each = candidates(maps, 10), candidates(maps, 1)

    assert all_of_them.rows.tolist() == [0, 0, 1]
    assert all_of_them.logits.tolist() == pytest.approx([2.0, 1.0, 0.0], abs=1e-5)
    assert one_each.rows.tolist() == [0, 1]


def test_a_right_box_is_to_be_sure_and_a_wrong_one_is_not() -> None:
    assert wrongness(3.0, SAME, truth=true(HEAD)) < wrongness(-3.0, SAME, truth=true(HEAD))
    assert wrongness(3.0, ELSEWHERE, truth=true(HEAD)) > wrongness(-3.0, ELSEWHERE, truth=true(HEAD))
    assert wrongness(3.0, ELSEWHERE, truth=true()) > wrongness(-3.0, ELSEWHERE, truth=true())


def test_only_the_surest_of_a_head_is_right() -> None:
    assert wrongness(3.0, SAME, HEAD, truth=true(HEAD)) == pytest.approx(wrongness(3.0, HEAD, SAME, truth=true(HEAD)))
    sure, unsure = (wrongness(logit, SAME, HEAD, truth=true(HEAD)) for logit in (3.0, -3.0))
    assert sure == pytest.approx(unsure)  # the other one is right then


def test_nothing_is_learnt_beside_heads_that_do_not_count() -> None:
    aside = true(HEAD, judged=False)

    assert wrongness(3.0, SAME, truth=aside) == wrongness(-3.0, SAME, truth=aside) == 0.0


def test_heads_of_other_pictures_are_no_heads_here() -> None:
    elsewhere = true(HEAD)._replace(rows=torch.tensor([1]))

    assert wrongness(3.0, SAME, truth=elsewhere) > wrongness(-3.0, SAME, truth=elsewhere)


def test_a_box_is_right_by_where_it_was_moved_to() -> None:
    assert wrongness(3.0, LEFT_OF_IT, truth=true(HEAD)) > wrongness(-3.0, LEFT_OF_IT, truth=true(HEAD))
    there = boxes(HEAD)
    moved = [wrongness(logit, LEFT_OF_IT, truth=true(HEAD), moved=there) for logit in (3.0, -3.0)]
    assert moved[0] < moved[1]


def test_boxes_near_a_head_learn_to_move_there_and_others_do_not() -> None:
    first, wanted = looked(LEFT_OF_IT, ELSEWHERE), true(HEAD)
    moved = first.boxes.clone().requires_grad_()

    second_losses(first, first.logits, moved, wanted)["head_moved"].backward()

    assert (moved.grad[0, [0, 2]] < 0).all()  # to the right
    assert (moved.grad[1] == 0).all()
    assert float(second_losses(first, first.logits, boxes(HEAD, ELSEWHERE), wanted)["head_moved"]) < 1e-5


def test_where_nothing_was_found_nothing_is_lost() -> None:
    none = Candidates(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0).long())

    losses = second_losses(none, torch.zeros(0), torch.zeros(0, 4), true(HEAD))

    assert {name: float(value) for name, value in losses.items()} == {"head_again": 0.0, "head_moved": 0.0}


def test_it_learns() -> None:
    torch.manual_seed(0)
    look, first, truth = SecondLook(), looked(LEFT_OF_IT, ELSEWHERE), true(HEAD)
    features = torch.randn(2, 96)
    optimiser = torch.optim.Adam(look.parameters(), 0.002)
    for _ in range(400):
        logits, moved = look(features, first.logits, first.boxes)
        loss = torch.stack(list(second_losses(first, logits, moved, truth).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    logits, moved = look(features, first.logits, first.boxes)
    assert logits[0] > 2.0 > -2.0 > logits[1]
    torch.testing.assert_close(moved[0], torch.tensor(HEAD), atol=0.01, rtol=0)
