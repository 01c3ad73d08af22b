"""The other denoisers: what they share with CDFormer, and what each leaves out."""

from pathlib import Path

import pytest
import torch
from pydantic import BaseModel
from torch.nn import functional as F

from hsrdiff.errors import ShapeError, WeightsError
from hsrdiff.networks import (
    DENOISERS,
    CDFormer,
    CDFormerConfig,
    Denoiser,
    ModelCard,
    denoiser_of,
    load_network,
    read_card,
    save_weights,
    shipped_weights,
)
from hsrdiff.networks.ablations import CDCNN, CDFormerWithoutSR, RegressionCDFormer, UNet, UNetConfig
from hsrdiff.networks.layers import S2TL

SMALL = CDFormerConfig(channels=8, layers=2, heads=2, window=4, ffn_ratio=2.0)
SMALL_UNET = UNetConfig(channels=8, multipliers=(1, 2), blocks=1, heads=2)


def small(kind: str) -> BaseModel:
    """Return a configuration that is quick to test: that of the class's defaults for a network that is new here."""
    config = DENOISERS[kind].config
    known: dict[type[BaseModel], BaseModel] = {CDFormerConfig: SMALL, UNetConfig: SMALL_UNET}
    return known.get(config) or config()


def make(kind: str, bands: int = 5, msi_bands: int = 3, *, trained: bool = True) -> Denoiser:
    torch.manual_seed(0)
    network = DENOISERS[kind].network(bands, msi_bands, small(kind))
    if trained:  # the reconstruction begins at 0
        torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
    return network


def inputs(n: int = 1, h: int = 4, w: int = 6, factor: int = 2) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(3)
    X = torch.randn(n, 3, h * factor, w * factor, generator=g)
    Y = torch.randn(n, 5, h, w, generator=g)
    Z = torch.randn(n, 5, h * factor, w * factor, generator=g)
    return X, Y, Z, torch.rand(n, generator=g)


@pytest.fixture(params=DENOISERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_untrained_networks_return_the_upsampled_y(kind: str) -> None:
    X, Y, Z, gamma = inputs()
    want = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
    torch.testing.assert_close(make(kind, trained=False)(X, Y, Z, gamma), want, atol=0, rtol=0)


@pytest.mark.parametrize(("h", "w", "factor"), [(1, 1, 2), (1, 3, 3), (5, 3, 3)])
def test_any_size(kind: str, h: int, w: int, factor: int) -> None:
    X, Y, Z, gamma = inputs(2, h, w, factor)
    assert make(kind)(X, Y, Z, gamma).shape == Z.shape


def test_bound_and_unbound_agree_and_checkpointing_changes_nothing(kind: str) -> None:
    X, Y, Z, gamma = inputs(2)
    network = make(kind)
    want = network(X, Y, Z, gamma)
    torch.testing.assert_close(network.bind(X, Y)(Z, gamma), want, atol=0, rtol=0)
    network.checkpointing = True
    torch.testing.assert_close(network(X, Y, Z, gamma), want)


def test_every_parameter_matters_and_half_of_them_are_the_second_half(kind: str) -> None:
    network = make(kind)
    network(*inputs(2)).square().sum().backward()
    for name, p in network.named_parameters():
        assert p.grad is not None, name
        assert p.grad.abs().max() > 0, name
    half = network.second_half()
    assert 0 < len(half) < len(list(network.parameters()))
    assert {id(p) for p in network.reconstruct.parameters()} <= {id(p) for p in half}


def test_other_bands_are_a_sentence(kind: str) -> None:
    X, Y, _, _ = inputs()
    with pytest.raises(ShapeError, match="MSI of 2 and an HSI of 5 bands were given to a network for 3 and 5"):
        make(kind).encode(X[:, :2], Y)


def test_weights_say_what_they_hold(kind: str, tmp_path: Path) -> None:
    network, card = make(kind), ModelCard(name="t", bands=5, msi_bands=3)
    path = save_weights(tmp_path / "w.safetensors", network, card)
    again, read = load_network(path)
    assert type(again) is type(network)
    assert (again.config, read) == (network.config, card)
    assert read_card(path) == (network.config, card)
    assert denoiser_of(path) == kind
    assert torch.equal(again(*inputs()), network(*inputs()))
    other = "unet" if kind == "cdformer" else "cdformer"
    with pytest.raises(WeightsError, match=f"format 'hsrdiff-{kind}-1'; expected 'hsrdiff-{other}-1'"):
        load_network(path, kind=other)


@pytest.mark.parametrize("name", shipped_weights())
def test_shipped_weights_are_cdformers(name: str) -> None:
    assert denoiser_of(name) == "cdformer"
    assert type(load_network(name)[0]) is CDFormer


def test_regression_looks_at_no_noise_and_is_a_cdformer_asked_about_u() -> None:
    X, Y, Z, gamma = inputs(2)
    network, usual = make("regression-cdformer"), make("cdformer")
    assert isinstance(network, RegressionCDFormer)
    usual.load_state_dict(network.state_dict())
    out = network(X, Y, Z, gamma)
    assert torch.equal(out, network(X, Y, 1 - Z, gamma / 2))
    U = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
    assert torch.equal(out, usual(X, Y, U, torch.ones(2)))


@pytest.mark.parametrize("kind", ["cdformer", "cdformer-without-sr", "cd-cnn", "unet"])
def test_the_others_look_at_noise_level_and_noisy_image(kind: str) -> None:
    X, Y, Z, gamma = inputs()
    network = make(kind)
    out = network(X, Y, Z, gamma)
    assert not torch.allclose(out, network(X, Y, Z + 0.1, gamma), atol=1e-6)
    assert not torch.allclose(out, network(X, Y, Z, gamma / 2), atol=1e-6)


def test_without_sr_is_half_a_cdformer_without_its_cross_attention() -> None:
    c, bands, msi_bands = SMALL.channels, 5, 3
    layer = sum(p.numel() for p in S2TL(c, SMALL.heads, SMALL.window, SMALL.ffn_ratio, shift=False).parameters())
    ends = 9 * c * (2 * bands + msi_bands) + c + 9 * c * bands + bands
    by_hand = SMALL.layers * (layer + c * c + c) + ends
    assert sum(p.numel() for p in CDFormerWithoutSR(bands, msi_bands, SMALL).parameters()) == by_hand


def test_cd_cnn_has_convolutions_in_both_streams_and_keeps_the_cross_attention() -> None:
    c, bands, msi_bands = SMALL.channels, 5, 3
    conv = 2 * (9 * c * c + c)
    conditional = conv + (c * c + c) + (4 * c * c + c) + 2 * 2 * c
    ends = 9 * c * (bands + msi_bands) + c + 9 * c * bands + c + 9 * c * bands + bands
    network = CDCNN(bands, msi_bands, SMALL)
    assert sum(p.numel() for p in network.parameters()) == SMALL.layers * (conv + conditional) + ends
    assert not [m for m in network.modules() if isinstance(m, S2TL)]


def test_unet_parameter_count_by_hand() -> None:
    bands, msi_bands, c, e = 5, 3, 8, 32

    def block(inside: int, outside: int) -> int:
        skip = inside * outside + outside if inside != outside else 0
        return (
            2 * inside
            + 9 * inside * outside
            + outside
            + e * outside
            + outside
            + 2 * outside
            + (9 * outside * outside + outside)
            + skip
        )

    embed = c * e + e + e * e + e
    begin = 9 * (2 * bands + msi_bands) * c + c
    down = block(c, c) + (9 * c * c + c) + block(c, 16)
    middle = 2 * block(16, 16) + 2 * 16 + 3 * 16 * 16 + 16 * 16 + 16
    up = block(32, 16) + block(24, 16) + (9 * 16 * 16 + 16) + block(24, c) + block(16, c)
    ends = 2 * c + 9 * c * bands + bands
    count = sum(p.numel() for p in UNet(bands, msi_bands, SMALL_UNET).parameters())
    assert count == embed + begin + down + middle + up + ends


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": 12}, "a multiple of 8"),
        ({"multipliers": ()}, "at least one whole number"),
        ({"channels": 8, "multipliers": (1,), "heads": 3}, r"a multiple of the heads \(3\)"),
    ],
)
def test_unet_shapes_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNetConfig(**options)  # type: ignore[arg-type]
