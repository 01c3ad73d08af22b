"""What every learned competitor keeps to."""

from pathlib import Path

import pytest
import torch

from hsrdiff.errors import ShapeError, WeightsError
from hsrdiff.networks import ModelCard
from hsrdiff.networks.competitors import COMPETITORS, Competitor, competitor_of, load_competitor, save_competitor
from hsrdiff.networks.competitors.weights import FORMATS

SHAPES = {
    "ual": {"channels": 4, "depth": 1},
    "brresnet": {"channels": 8, "blocks": 2},
    "cmhf-net": {"stages": 3, "rank": 2, "adjust": 1},
    "fusformer": {"channels": 6, "heads": 2, "head_channels": 3, "encoder": 1, "decoder": 1},
}


def make(name: str, bands: int = 5, msi_bands: int = 3, factor: int = 4) -> Competitor:
    torch.manual_seed(0)
    entry = COMPETITORS[name]
    return entry.build(bands, msi_bands, factor, entry.config(**SHAPES[name]))


def inputs(n: int = 1, b: int = 3, bands: int = 5, h: int = 2, w: int = 3, factor: int = 4) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(3)
    X = torch.rand(n, b, h * factor, w * factor, generator=g)
    return X, torch.rand(n, bands, h, w, generator=g)


@pytest.fixture(params=COMPETITORS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize(("b", "bands", "h", "w", "factor"), [(1, 5, 2, 3, 4), (4, 3, 3, 2, 2), (3, 5, 2, 1, 8)])
def test_any_size_guide_and_power_of_two(name: str, b: int, bands: int, h: int, w: int, factor: int) -> None:
    X, Y = inputs(2, b, bands, h, w, factor)
    kept = X.clone(), Y.clone()
    Z_hat = make(name, bands, b, factor)(X, Y)
    assert Z_hat.shape == (2, bands, h * factor, w * factor)
    assert torch.isfinite(Z_hat).all()
    assert torch.equal(X, kept[0])
    assert torch.equal(Y, kept[1])


def test_every_parameter_and_both_images_matter(name: str) -> None:
    X, Y = (t.requires_grad_() for t in inputs())
    network = make(name)
    network(X, Y).square().sum().backward()
    for key, p in network.named_parameters():
        assert p.grad is not None, key
        assert p.grad.abs().max() > 0, key
    for t in (X, Y):
        assert t.grad is not None
        assert t.grad.abs().max() > 0


def test_bands_and_factor_that_do_not_fit_are_a_sentence(name: str) -> None:
    network = make(name)
    with pytest.raises(ShapeError, match="MSI of 4 and an HSI of 5 bands were given to a network for 3 and 5"):
        network(*inputs(b=4))
    with pytest.raises(ShapeError, match=r"MSI of 4x6 and an HSI of 2x3 pixels .* for the factor 4"):
        network(*inputs(factor=2))


def test_weights_round_trip(name: str, tmp_path: Path) -> None:
    network, X, Y = make(name), *inputs()
    card = ModelCard(name="t", bands=5, msi_bands=3, factor=4, peak=2.5, seed=7)
    path = save_competitor(tmp_path / "w.safetensors", name, network, card)
    before = torch.random.get_rng_state()
    again, read = load_competitor(path, name)
    assert torch.equal(before, torch.random.get_rng_state())
    assert read == card
    assert again.config == network.config
    assert not again.training
    with torch.no_grad():
        assert torch.equal(again(X, Y), network(X, Y))
    assert competitor_of(path) == name
    other = next(n for n in (*FORMATS, "none") if n != name)
    if other in COMPETITORS:
        with pytest.raises(WeightsError, match=f"format 'hsrdiff-{name}-1'; expected 'hsrdiff-{other}-1'"):
            load_competitor(path, other)


def test_catalog_is_complete(name: str) -> None:
    entry = COMPETITORS[name]
    assert entry.citation
    assert isinstance(make(name).config, entry.config)
