"""Consistency with both images inside every sampler step, and as the last layer of what is trained."""

import pytest
import torch

from hsrdiff.diffusion import SAMPLERS, log_snr_schedule
from hsrdiff.observation import JointProjection, Observation, SoftConsistency, SpatialResponse, SpectralResponse

BANDS, MSI, SIZE = 5, 2, (12, 8)


@pytest.fixture
def observation():
    g = torch.Generator().manual_seed(0)
    matrix = torch.rand((MSI, BANDS), generator=g, dtype=torch.float64) + 0.1
    return Observation(SpectralResponse(matrix / matrix.sum(dim=1, keepdim=True)), SpatialResponse.gaussian(4))


@pytest.fixture
def truth():
    return torch.rand((1, BANDS, *SIZE), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def noise(seed):
    return torch.randn((1, BANDS, *SIZE), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_ends_on_both_images_where_each_estimate_is_projected(observation, truth, name):
    X, Y = observation.observe(truth)
    joint = JointProjection(observation, SIZE)
    seen = []

    def denoise(Z_t, gamma):
        Z_hat = joint.project(torch.tanh(Z_t), X, Y)
        seen.append(Z_hat)
        return Z_hat

    sample = SAMPLERS[name](
        denoise, noise(2), log_snr_schedule(4, 1e-3), generator=torch.Generator().manual_seed(3), clamp=None
    )
    assert len(seen) == 4
    for Z in (*seen, sample):
        assert (observation.spectral.apply(Z) - X).abs().max() < 1e-12
        assert (observation.spatial.apply(Z) - Y).abs().max() < 1e-12
    assert (sample - truth).abs().max() > 0.1  # what neither image fixes is free


def test_a_noisy_pair_is_met_softly_inside_the_steps_too(observation, truth):
    X, Y = observation.observe(truth)
    X = X + 0.05 * noise(4)[:, :MSI]
    soft = SoftConsistency(observation, SIZE, 0.05, 0.01, 0.3)
    sample = SAMPLERS["ddim"](
        lambda Z_t, gamma: soft.project(0.5 + 0.0 * Z_t, X, Y),
        noise(2),
        log_snr_schedule(3, 1e-3),
        generator=torch.Generator().manual_seed(3),
    )
    torch.testing.assert_close(sample, soft.project(torch.full_like(truth, 0.5), X, Y))
    assert 0.01 < float((observation.spectral.apply(sample) - X).square().mean().sqrt()) < 0.2


def test_as_a_last_layer_only_what_neither_image_sees_is_learned(observation, truth):
    X, Y = observation.observe(truth)
    joint = JointProjection(observation, SIZE)
    answer = noise(5).requires_grad_()
    Z_hat = joint.project(answer, X, Y)
    # the first two terms of Eq. (8) are 0 and have no gradient; the third has one
    consistency = (observation.spectral.apply(Z_hat) - X).square().sum() + (
        observation.spatial.apply(Z_hat) - Y
    ).square().sum()
    (nothing,) = torch.autograd.grad(consistency, answer, retain_graph=True)
    assert consistency.item() < 1e-24
    assert nothing.abs().max() < 1e-12
    (something,) = torch.autograd.grad((Z_hat - truth).square().sum(), answer)
    assert something.abs().max() > 0.1
    assert (observation.spectral.apply(something)).abs().max() < 1e-12
    assert (observation.spatial.apply(something)).abs().max() < 1e-12
