import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ops.two_states import MAX_LOGIT, Chain, bounded, updated

CHAIN = Chain(true_s=0.6, false_s=0.3, evidence_s=0.1)


def after(chance: float, seen: float, dt_s: float, chain: Chain = CHAIN) -> float:
    return float(updated(np.array([chance]), np.array([seen]), np.array([dt_s]), chain)[0])


def run(looks: list[float], dt_s: float) -> list[float]:
    made = [float(bounded(np.array(looks[:1]))[0])]
    for look in looks[1:]:
        made.append(after(made[-1], look, dt_s))
    return made


def test_without_evidence_the_chain_settles_where_its_states_last() -> None:
    kept = np.exp(-0.1 * (1 / 0.6 + 1 / 0.3))

    assert after(0.9, 0.5, 0.1) == pytest.approx(2 / 3 + (0.9 - 2 / 3) * kept)
    assert after(0.9, 0.5, 100.0) == pytest.approx(2 / 3)


def test_a_look_multiplies_the_odds() -> None:
    before = after(0.6, 0.5, 0.1)

    odds = before / (1 - before) * 0.8 / 0.2
    assert after(0.6, 0.8, 0.1) == pytest.approx(odds / (1 + odds))


def test_looks_close_together_count_by_their_time() -> None:
    slow = Chain(1e9, 1e9, evidence_s=0.1)

    odds = (0.8 / 0.2) ** 0.4
    assert after(0.5, 0.8, 0.04, slow) == pytest.approx(odds / (1 + odds))
    assert after(0.5, 0.8, 5.0, slow) == pytest.approx(0.8)


def test_a_doubtful_look_among_sure_ones_flips_nothing_and_a_run_does() -> None:
    made = run([0.95] * 10 + [0.3] + [0.95] * 5 + [0.1] * 10, 0.04)

    assert min(made[:16]) > 0.5
    assert made[-1] < 0.1
    assert 1 <= sum(chance > 0.5 for chance in made[16:]) <= 5


def test_at_any_rate_a_change_is_seen_after_the_same_time() -> None:
    since = [
        sum(chance > 0.5 for chance in run([0.9] * int(2 / dt_s) + [0.1] * int(1 / dt_s), dt_s)[int(2 / dt_s) :]) * dt_s
        for dt_s in (1 / 60, 1 / 30, 1 / 12.5)
    ]

    assert max(since) - min(since) <= 0.05


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 10))
def test_probabilities_stay_bounded(chance: float, seen: float, dt_s: float) -> None:
    least = 1 / (1 + np.exp(MAX_LOGIT))

    assert least - 1e-12 <= after(float(bounded(np.array([chance]))[0]), seen, dt_s) <= 1 - least + 1e-12
