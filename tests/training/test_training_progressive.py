"""Progressive learning as a function of the step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hsrdiff.training.progressive import Stage, plan

STAGES = (
    Stage(size=64, batch=4, share=0.5),
    Stage(size=128, batch=2, share=0.3),
    Stage(size=0, batch=1, share=0.2, second_half_only=True),
)


def test_stages_lie_where_the_shares_say() -> None:
    p = plan(STAGES, 100)
    assert p.ends == (50, 80, 100)
    assert [p.at(s).size for s in (0, 49, 50, 79, 80, 99, 100)] == [64, 64, 128, 128, 0, 0, 0]
    assert [s.title for s in p.missing(50)] == ["128x128 patches", "whole images"]
    assert p.missing(81) == ()
    assert len(p.missing(0)) == 3


@given(st.integers(1, 5000), st.lists(st.floats(0.01, 10), min_size=1, max_size=5))
def test_every_step_has_one_stage_and_stages_only_advance(steps: int, shares: list[float]) -> None:
    p = plan([Stage(size=8 * (i + 1), share=s) for i, s in enumerate(shares)], steps)
    assert p.ends[-1] == steps
    assert list(p.ends) == sorted(p.ends)
    seen = [p.index(s) for s in range(0, steps, max(1, steps // 50))]
    assert seen == sorted(seen)
    for s, share in zip(range(len(shares)), shares, strict=True):
        begin = p.ends[s - 1] if s else 0
        assert p.ends[s] - begin == pytest.approx(steps * share / sum(shares), abs=1.01)
