import pytest

from nodes.ops.attention import STREAM, Fact
from nodes.ops.attention_measures import Tally, figures

S = 10**9
WINDOW = (10 * S, 20 * S)


def fact(of: str, target: str = "tea", at_s: float = 12, amount: int = 1, to: str = "", end_s: float = 0) -> Fact:
    return Fact(of, target, to, round(at_s * S), round((end_s or at_s) * S), amount)


def tally(*facts: Fact) -> Tally:
    made = Tally()
    made.add(facts, WINDOW, WINDOW[1])
    return made


def values(of: Tally, target: str) -> dict[str, float]:
    return {one.measure: one.value for one in figures(of, ["tea"], 8 * S) if (one.target, one.to) == (target, "")}


@pytest.mark.parametrize(("at_s", "inside"), [(9.9, 0), (10, 1), (19.9, 1), (20, 0)])
def test_a_fact_counts_in_the_window_that_holds_its_moment(at_s: float, inside: int) -> None:
    assert values(tally(fact("visits", at_s=at_s)), "tea")["visits.1"] == inside


@pytest.mark.parametrize(("start", "end", "time"), [(0, 10, 0), (5, 12, 2), (12, 15, 3), (18, 25, 2), (0, 30, 10)])
def test_presence_counts_where_it_was(start: float, end: float, time: float) -> None:
    assert values(tally(fact("presence", at_s=start, end_s=end)), "tea")["presence_s.1"] == time


@pytest.mark.parametrize(("start", "end", "now"), [(5, 19, 0), (5, 20, 1), (5, 30, 1), (19, 21, 1), (20, 21, 0)])
def test_who_looks_at_the_end_of_the_window_looks_now(start: float, end: float, now: int) -> None:
    assert values(tally(fact("looking", at_s=start, end_s=end)), "tea")["looking_now.1"] == now


def test_a_target_is_reported_with_zeros_when_nobody_looked() -> None:
    made = figures(tally(), ["tea"], 8 * S)

    assert {(one.target, one.value) for one in made} == {("", 8.0), ("", 0), ("tea", 0)}
    names = ["watchers.1", "attention_s.1", "presence_s.1", "visits.1", "revisits.1", "glances.1", "fixations.1"]
    assert [one.measure for one in made if one.target == "tea"] == [*names, "first_looks.1", "looking_now.1"]
    assert [one.measure for one in made if not one.target] == ["covered_s.1", "ots.1", *names, "looking_now.1"]


def test_a_target_that_nobody_looked_at_is_left_out_unless_it_is_asked_for() -> None:
    made = figures(tally(fact("visits", "person:*"), fact("visits", "cocoa", amount=0)), [], 8 * S)

    assert {one.target for one in made} == {"", "person:*"}


def test_ratios_of_sums() -> None:
    made = tally(
        fact("ots", STREAM, amount=8),
        fact("watchers", STREAM, amount=5),
        fact("watchers", amount=2),
        fact("first_looks", amount=1),
        fact("visits", amount=4),
        fact("attention", amount=6 * S),
        fact("fixations", amount=5),
        fact("fixation", amount=2 * S),
        fact("presence_before", amount=3 * S),
        fact("presence", at_s=15, end_s=16),
    )

    assert values(made, "tea") == {
        "watchers.1": 2,
        "conversion.1": 0.25,
        "attention_s.1": 6,
        "presence_s.1": 4,
        "visits.1": 4,
        "visit_mean_s.1": 1.5,
        "revisits.1": 0,
        "glances.1": 0,
        "fixations.1": 5,
        "fixation_mean_s.1": 0.4,
        "first_looks.1": 1,
        "first_look_share.1": 0.2,
        "looking_now.1": 0,
    }
    assert values(made, "")["conversion.1"] == 5 / 8


@pytest.mark.parametrize(
    ("times", "mean", "median"), [([3], 3, 3), ([1, 4], 2.5, 2.5), ([9, 1, 2], 4, 2), ([1, 2, 3, 10], 4, 2.5)]
)
def test_times_to_the_first_look(times: list[int], mean: float, median: float) -> None:
    made = values(tally(*(fact("first_look", amount=time * S) for time in times)), "tea")

    assert (made["first_look_mean_s.1"], made["first_look_median_s.1"]) == (mean, median)


def test_transitions_name_both_ends_and_are_in_order() -> None:
    steps = [("tea", "cocoa"), ("cocoa", "tea"), ("tea", "cocoa"), ("tea", "tea")]

    made = figures(tally(*(fact("transitions", target, to=to) for target, to in steps)), ["tea"], 0)

    assert [one[1:] for one in made if one.measure == "transitions.1"] == [
        ("cocoa", "tea", 1),
        ("tea", "cocoa", 2),
        ("tea", "tea", 1),
    ]


def test_more_facts_make_another_tally() -> None:
    one = tally(fact("visits"), fact("first_look", amount=S))

    other = one.plus([fact("visits"), fact("first_look", amount=3 * S)], WINDOW, WINDOW[1])

    assert (values(one, "tea")["visits.1"], values(one, "tea")["first_look_mean_s.1"]) == (1, 1)
    assert (values(other, "tea")["visits.1"], values(other, "tea")["first_look_mean_s.1"]) == (2, 2)
