import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from nodes.ops.attention import STILL, STREAM, Fact, Person, Visit, facts, group_of, settle

S = 10**9


def visit(target: str, start_s: float, end_s: float, ended: bool = True, fixations: int = 1) -> Visit:
    start_ns, end_ns = round(start_s * S), round(end_s * S)
    lasted_ns = end_ns - start_ns
    return Visit(
        f"{target}/{start_s}", target, start_ns, end_ns, lasted_ns, fixations, lasted_ns // 2, end_ns if ended else None
    )


def person(*visits: Visit, seen: Sequence[tuple[float, float]] = (), **given: Any) -> Person:
    intervals = [(round(start * S), round(end * S)) for start, end in seen]
    return Person({one.id: one for one in visits}, intervals, **given)


def told(of: str, someone: Person, target: str = STREAM, min_presence_s: float = 1) -> list[tuple[float, float]]:
    """Return the facts of one kind as (start in s, amount)."""
    made = facts(someone, round(min_presence_s * S), S)
    return [(fact.start_ns / S, fact.amount) for fact in made if (fact.of, fact.target) == (of, target) and fact.amount]


@pytest.mark.parametrize(
    ("target", "group"),
    [
        ("tea", "tea"),
        ("grid:2-3", "grid:2-3"),
        ("person:12", "person:*"),
        ("object:bottle:7", "object:bottle:*"),
        ("person", "person"),
    ],
)
def test_people_and_objects_of_a_kind_are_measured_together(target: str, group: str) -> None:
    assert group_of(target) == group


def test_each_visit_counts_for_its_target_and_for_the_stream() -> None:
    someone = person(visit("tea", 2, 5, fixations=2), visit("cocoa", 6, 7, fixations=0), visit("tea", 8, 9))

    assert told("visits", someone, "tea") == [(2, 1), (8, 1)]
    assert told("visits", someone) == [(2, 1), (6, 1), (8, 1)]
    assert told("attention", someone, "tea") == [(2, 3 * S), (8, 1 * S)]
    assert told("fixations", someone) == [(2, 2), (8, 1)]
    assert told("fixation", someone, "tea") == [(2, 1.5 * S), (8, 0.5 * S)]
    assert (told("glances", someone), told("glances", someone, "tea")) == ([(6, 1)], [])


def test_somebody_is_a_watcher_once_and_comes_back_after() -> None:
    someone = person(visit("tea", 2, 3), visit("cocoa", 6, 7), visit("tea", 8, 9), visit("tea", 10, 11))

    assert (told("watchers", someone), told("watchers", someone, "cocoa")) == ([(2, 1)], [(6, 1)])
    assert told("revisits", someone, "tea") == told("revisits", someone) == [(8, 1), (10, 1)]
    assert (told("first_looks", someone, "tea"), told("first_looks", someone, "cocoa")) == ([(2, 1)], [])


def test_visits_follow_each_other_by_their_start_then_by_name() -> None:
    someone = person(visit("tea", 5, 6), visit("cocoa", 2, 9), visit("mate", 5, 7))

    steps = [(fact.target, fact.to, fact.start_ns / S) for fact in facts(someone, S, S) if fact.of == "transitions"]
    assert steps == [("cocoa", "mate", 5), ("mate", "tea", 5)]


def test_the_first_look_is_timed_from_the_first_sight() -> None:
    someone = person(visit("tea", 5, 6), visit("cocoa", 7, 8), visit("tea", 9, 10), seen=[(3, 4), (6, 10)])

    assert told("first_look", someone, "tea") == told("first_look", someone) == [(5, 2 * S)]
    assert told("first_look", someone, "cocoa") == [(7, 4 * S)]
    assert told("first_look", person(visit("tea", 5, 6), seen=[(6, 7)])) == []
    assert told("first_look", person(visit("tea", 5, 6))) == []


def test_presence_before_the_first_look_counts_with_it_and_later_presence_where_it_is() -> None:
    someone = person(visit("tea", 4, 6), seen=[(1, 3), (3.5, 8), (11, 12)])

    assert told("presence_before", someone) == [(4, 3 * S)]  # the gap of half a second is filled
    spans = [(fact.start_ns / S, fact.end_ns / S) for fact in facts(someone, S, S) if fact[:2] == ("presence", "tea")]
    assert spans == [(4, 8), (11, 12)]
    assert told("presence", person(seen=[(1, 3)])) == []


@pytest.mark.parametrize(
    ("someone", "moments"),
    [
        (person(seen=[(1, 1.5)]), []),
        (person(seen=[(1, 2)]), [2 - 1e-9]),
        (person(seen=[(1, 1.5), (7, 9)]), [7.5 - 1e-9]),
        (person(visit("tea", 1.25, 1.5), seen=[(1, 2)]), [1.25]),
        (person(visit("tea", 5, 6), seen=[(1, 2)]), [2 - 1e-9]),
        (person(visit("tea", 5, 6), seen=[(1, 2)], had_opportunity=True), []),
        (person(seen=[(3, 4)], seen_ns=S // 2), [3.5 - 1e-9]),
    ],
)
def test_who_is_in_view_for_long_enough_or_looks_had_an_opportunity(someone: Person, moments: list[float]) -> None:
    assert told("ots", someone) == [(moment, 1) for moment in moments]


def test_a_visit_that_lasts_is_looked_on_for_good() -> None:
    ends = [fact.end_ns for fact in facts(person(visit("tea", 1, 2), visit("tea", 3, 4, False)), S, S)
            if fact[:2] == ("looking", "tea")]  # fmt: skip

    assert ends == [2 * S, STILL]


def test_what_is_settled_is_taken_off() -> None:
    someone = person(visit("tea", 2, 3), visit("cocoa", 6, 7), visit("tea", 12, 13), seen=[(1, 15)])

    taken = settle(someone, 10 * S, S, S)

    assert [one.target for one in someone.visits.values()] == ["tea"]
    assert someone.seen == [(10 * S, 15 * S)]
    assert (someone.first_ns, someone.seen_ns, someone.had_opportunity) == (S, 9 * S, True)
    assert (someone.watched, someone.last) == ({"tea", "cocoa", STREAM}, "cocoa")
    assert sum(fact.amount for fact in taken if fact[:2] == ("visits", STREAM)) == 2


def test_nothing_after_a_visit_that_lasts_is_settled() -> None:
    someone = person(visit("tea", 2, 3, ended=False), visit("cocoa", 6, 7), seen=[(1, 15)])

    settle(someone, 10 * S, S, S)

    assert len(someone.visits) == 2
    assert someone.seen == [(2 * S, 15 * S)]


def test_settling_in_a_gap_leaves_what_remains_of_it_filled() -> None:
    someone = person(seen=[(1, 4), (4.5, 6), (6.5, 7)])

    settle(someone, 4_200_000_000, S, S)

    assert someone.seen == [(4_200_000_000, 4_500_000_000), (4_500_000_000, 6 * S), (6_500_000_000, 7 * S)]


def test_gaps_that_can_no_longer_change_are_filled_for_good_while_a_visit_lasts() -> None:
    someone = person(visit("tea", 2, 3, ended=False), seen=[(1, 4), (4.5, 6), (6.5, 8), (8.5, 11), (11.5, 12)])
    before = added(list(facts(someone, S, S)))

    told = settle(someone, 10 * S, S, S)

    assert someone.seen == [(2 * S, 8 * S), (8_500_000_000, 11 * S), (11_500_000_000, 12 * S)]
    assert added(told + list(facts(someone, S, S))) == before


def added(told: list[Fact]) -> Counter[tuple[object, ...]]:
    """Return facts in a form in which it does not matter into how many pieces presence was cut."""
    sums: Counter[tuple[object, ...]] = Counter()
    for fact in told:
        if fact.of == "presence":
            for moment in range(fact.start_ns // S, fact.end_ns // S):
                sums[fact.of, fact.target, moment] += 1
        else:
            sums[fact] += 1
    return sums


@pytest.mark.parametrize("seed", range(30))
def test_settling_changes_no_sum(seed: int) -> None:
    chance = random.Random(seed)
    starts = [chance.randrange(40) for _ in range(6)]
    visits = [
        visit(chance.choice(["tea", "cocoa"]), start, start + chance.randrange(1, 12), chance.random() < 0.9)
        for start in dict.fromkeys(starts)
    ]
    edges = sorted(chance.sample(range(min(starts) + 1), 1) + chance.sample(range(50, 60), 3))
    someone = person(*visits, seen=[(edges[0], edges[1]), (edges[2], edges[3])])
    whole = added(list(facts(someone, 15 * S, 3 * S)))

    told = []
    for horizon in sorted(chance.sample(range(60), 4)):
        told += settle(someone, horizon * S, 15 * S, 3 * S)

    assert added(told + list(facts(someone, 15 * S, 3 * S))) == whole
