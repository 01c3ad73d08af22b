"""Eq. (8)."""

import pytest
import torch

from hsrdiff.observation import Observation, SpatialResponse, SpectralResponse
from hsrdiff.training.loss import loss_eq8

OBSERVATION = Observation(
    SpectralResponse(torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64)), SpatialResponse.block_mean(2)
)


def test_eq8_is_zero_at_the_truth() -> None:
    Z = torch.rand(2, 3, 4, 6, dtype=torch.float64)
    X, Y = OBSERVATION.observe(Z)
    assert loss_eq8(Z, X, Y, Z, OBSERVATION).total.item() == pytest.approx(0, abs=1e-15)


def test_eq8_by_hand() -> None:
    Z = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    X, Y = OBSERVATION.observe(Z)
    Z_hat = Z.clone()
    Z_hat[0, 0, 0, 0] = 1.0
    loss = loss_eq8(Z_hat, X, Y, Z, OBSERVATION)
    assert loss.image.item() == pytest.approx(1 / 12)  # one of 12 values is off by 1
    assert loss.spectral.item() == pytest.approx(0.5 / 4)  # half of it reaches one of 4 MSI values
    assert loss.spatial.item() == pytest.approx(0.25 / 3)  # a quarter of it reaches one of 3 LR values
    assert loss.total.item() == pytest.approx(1 / 12 + 0.5 / 4 + 0.25 / 3)


def test_eq8_gradient_agrees_with_differences() -> None:
    torch.manual_seed(0)
    Z = torch.rand(1, 3, 2, 4, dtype=torch.float64)
    X, Y = OBSERVATION.observe(Z)
    Z_hat = torch.rand(1, 3, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda estimate: loss_eq8(estimate, X, Y, Z, OBSERVATION).total, Z_hat)
