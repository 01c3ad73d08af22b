"""The losses and the rates of the competitors, by hand from what their authors published."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from hsrdiff.training.competitors import load_competitor_recipe
from hsrdiff.training.competitors.loss import l1, mean_square, unrolled

Z = torch.zeros(1, 1, 1, 2)
X = Y = torch.zeros(1, 1, 1, 1)


def image(*values: float) -> torch.Tensor:
    return torch.tensor(values).reshape(1, 1, 1, -1)


def test_absolute_and_squared_errors_are_means() -> None:
    def network(X: torch.Tensor, Y: torch.Tensor) -> torch.Tensor:
        return image(1.0, -3.0)

    assert l1(network, X, Y, Z).values() == {"loss": 2.0}
    assert mean_square(network, X, Y, Z).values() == {"loss": 5.0}


def test_the_unrolled_loss_weighs_linear_part_stages_and_misfit() -> None:
    """5 + 0.1 * 2 + 0.1 * (1 + 2) + 0.01 * 5, each term the mean of squares."""
    seen = SimpleNamespace(
        Z_hat=image(1.0, 3.0), linear=image(2.0, 0.0), images=[image(1, -1), image(2, 0)], misfit=image(3.0, -1.0)
    )
    loss = unrolled(SimpleNamespace(unroll=lambda X, Y: seen), X, Y, Z)
    want = {"loss": 5.55, "loss_image": 5.0, "loss_linear": 0.2, "loss_stages": 0.3, "loss_misfit": 0.05}
    assert loss.values() == pytest.approx(want)


@pytest.mark.parametrize(
    ("name", "size", "batch", "rates"),
    [
        # of 1000 steps; UAL: 150 epochs, 0.7 after the 11th, the 21st, and so on to the 141st
        ("ual", 128, 6, {0: 1e-4, 73: 1e-4, 74: 0.7e-4, 139: 0.7e-4, 140: 0.49e-4, 999: 1e-4 * 0.7**14}),
        ("brresnet", 64, 32, {0: 1e-4, 999: 1e-4}),
        ("cmhf-net", 96, 10, {0: 1e-4, 799: 1e-4, 800: 1e-5, 999: 1e-5}),
        ("fusformer", 64, 3, {0: 1e-3, 199: 1e-3, 200: 1e-4, 400: 1e-5, 600: 1e-6, 800: 1e-7}),
    ],
)
def test_patches_and_rates_are_the_published_ones(
    name: str, size: int, batch: int, rates: dict[int, float], tmp_path: Path
) -> None:
    path = tmp_path / "r.toml"
    path.write_text(f'name = "r"\n[competitor]\nname = "{name}"\n[data]\ndataset = "cave"\n[training]\nsteps = 1000\n')
    training = load_competitor_recipe(path).training
    assert (training.size, training.batch) == (size, batch)
    assert {step: training.rate(step) for step in rates} == pytest.approx(rates)
