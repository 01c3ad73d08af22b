"""The deviation to expect of errors, P76: its formula, its unit, and what it says of errors that are known."""

import dataclasses
import math

import pytest
import torch
from fuser_scenes import small_scene

from hsrdiff.fusers.expected_error import ExpectedError, detail, kept_off_0, level_of, nearby, surprise
from hsrdiff.fusers.kriging import Kriging, KrigingLearned, KrigingPoint, finish
from hsrdiff.fusers.residual import HsrDiffResidual, evidence


def draw(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def generator():
    return torch.Generator().manual_seed(5)


def test_deviation_by_its_formula():
    expected = ExpectedError(-1.0, {"a": 0.5, "b": 0.25})
    level = torch.tensor([4.0, 0.25], dtype=torch.float64)
    a, b = 1.0 + draw(1, 2, 3, 3), 2.0 + draw(1, 2, 3, 3, seed=1)
    found = expected.deviation(level, {"a": a, "b": b})
    for band in range(2):
        kept = [sign[0, band] + 0.001 * sign[0, band].mean() for sign in (a, b)]
        variance = math.exp(-1.0) * float(level[band]) ** 0.25 * kept[0] ** 0.5 * kept[1] ** 0.25
        torch.testing.assert_close(found[0, band], variance.sqrt(), rtol=1e-9, atol=0)


@pytest.mark.parametrize("expected", [finish.EXPECTED, evidence.EXPECTED])
def test_deviation_follows_the_unit_and_grows_with_every_sign(expected):
    level = 0.1 + draw(4)
    signs = {name: 0.1 + draw(1, 4, 5, 6, seed=i) for i, name in enumerate(expected.powers)}
    one = expected.deviation(level, signs)
    other = expected.deviation(49.0 * level, {name: 49.0 * sign for name, sign in signs.items()})
    torch.testing.assert_close(other, 7.0 * one, rtol=1e-9, atol=0)
    for name in signs:
        larger = signs[name].clone()
        larger[0, 1, 2, 3] *= 10.0
        more = expected.deviation(level, signs | {name: larger})
        assert more[0, 1, 2, 3] > 1.01 * one[0, 1, 2, 3]
    assert all(power > 0 for power in expected.powers.values())
    assert sum(expected.powers.values()) < 1  # the rest is the level's


def test_no_level_is_no_error_and_no_sign_is_not_certainty():
    expected = ExpectedError(0.0, {"a": 0.5})
    sign = torch.ones(1, 2, 4, 4, dtype=torch.float64)
    sign[0, 1] = 0.0
    sign[0, 1, 0, 0] = 1.0
    found = expected.deviation(torch.tensor([0.0, 1.0], dtype=torch.float64), {"a": sign})
    assert torch.equal(found[0, 0], torch.zeros(4, 4).double())
    assert float(found[0, 1].min()) > 0.0
    assert torch.isfinite(kept_off_0(torch.zeros_like(sign)).log()).all()


def test_signs_by_hand():
    image = torch.zeros(1, 1, 3, 3)
    image[0, 0, 1, 1] = 3.0
    torch.testing.assert_close(nearby(image)[0, 0], torch.ones(3, 3))  # 9 over nine pixels, in every window
    flat = torch.full((1, 2, 8, 8), 0.5)
    assert float(detail(flat, torch.full((1, 2, 2, 2), 0.5)).max()) < 1e-12
    torch.testing.assert_close(surprise(torch.full((1, 2, 2, 2), -3.0), (8, 8)), torch.full((1, 2, 8, 8), 9.0))
    left_out = torch.tensor([[[[1.0, 2.0], [3.0, 100.0]]]])
    sampled = torch.tensor([[[[True, True], [True, False]]]])
    torch.testing.assert_close(level_of(left_out, sampled), torch.tensor([14.0 / 3.0], dtype=torch.float64))


@pytest.fixture(params=["kriging", "kriging-point", "kriging-learned", "hsr-diff-residual"])
def method(request, kernel_weights, residual_weights):
    if request.param == "hsr-diff-residual":
        return HsrDiffResidual(weights=residual_weights(3, "scene"), base=kernel_weights, std=True)
    if request.param == "kriging-learned":
        return KrigingLearned(weights=kernel_weights)
    return {"kriging": Kriging, "kriging-point": KrigingPoint}[request.param]()


def test_errors_are_larger_where_they_are_expected_to_be(method):
    scene = small_scene(height=48, width=48)
    fusion = method.fuse(scene, generator=generator())
    assert torch.isfinite(fusion.std).all()
    error = (fusion.Z_hat - scene.Z).abs()
    doubtful = fusion.std > fusion.std.median()
    assert float(error[doubtful].square().mean()) > 1.5 * float(error[~doubtful].square().mean())


def test_the_result_is_the_same_with_and_without_it(method):
    scene = small_scene()
    with_it = method.fuse(scene, generator=generator())
    method.std = False
    without = method.fuse(scene, generator=generator())
    assert without.std is None
    # Numerics: products of other widths are rounded otherwise
    torch.testing.assert_close(with_it.Z_hat, without.Z_hat, rtol=0, atol=1e-4)


def test_what_is_hidden_behind_a_mask_does_not_matter(method):
    scene = small_scene()
    valid_lr = torch.ones((1, 1, 4, 6), dtype=torch.bool)
    valid_lr[..., 1, 2] = False
    valid = valid_lr.repeat_interleave(4, -1).repeat_interleave(4, -2)
    found = []
    for value in (0.3, 50.0):
        hidden = dataclasses.replace(
            scene,
            X=torch.where(valid, scene.X, torch.tensor(value)),
            Y=torch.where(valid_lr, scene.Y, torch.tensor(value)),
            valid=valid,
            valid_lr=valid_lr,
        )
        found.append(method.fuse(hidden, generator=generator()).std)
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-7, equal_nan=True)
    assert torch.equal(torch.isnan(found[0][:, :1]), ~valid)
