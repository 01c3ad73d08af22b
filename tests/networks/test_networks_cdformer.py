"""CDFormer (Figure 3): parameter count, caching, sizes, what depends on what."""

import pytest
import torch
from torch.nn import functional as F

from hsrdiff.errors import ShapeError
from hsrdiff.networks import PRESETS, CDFormer, CDFormerConfig

SMALL = CDFormerConfig(channels=8, layers=2, heads=2, window=4, ffn_ratio=2.0)


def inputs(n: int = 1, b: int = 3, bands: int = 5, h: int = 4, w: int = 6, factor: int = 2) -> tuple[torch.Tensor, ...]:
    g = torch.Generator().manual_seed(3)
    X = torch.randn(n, b, h * factor, w * factor, generator=g)
    Y = torch.randn(n, bands, h, w, generator=g)
    Z = torch.randn(n, bands, h * factor, w * factor, generator=g)
    return X, Y, Z, torch.rand(n, generator=g)


@pytest.fixture
def network() -> CDFormer:
    """A network whose reconstruction is no longer at its initial 0."""
    torch.manual_seed(0)
    network = CDFormer(5, 3, SMALL).eval()
    torch.nn.init.normal_(network.reconstruct.weight, std=0.1)
    return network


@pytest.mark.parametrize(("bands", "msi", "millions"), [(31, 3, 31.51), (103, 4, 32.01)])
def test_paper_preset_has_the_papers_parameters(bands: int, msi: int, millions: float) -> None:
    """The paper says 31.56 M (P9)."""
    count = sum(p.numel() for p in CDFormer(bands, msi, PRESETS["paper"]).parameters())
    assert round(count / 1e6, 2) == millions


def test_parameter_count_by_hand() -> None:
    c, n, hidden, m, bands, msi, heads = 8, 2, 16, 4, 5, 3, 2
    spatial = 3 * c * c + 3 * c + c * c + c + (2 * m - 1) ** 2 * heads
    spectral = 3 * c * c + 9 * 3 * c + c * c + heads
    ffn = 2 * c * hidden + 9 * 2 * hidden + hidden * c
    s2tl = spatial + spectral + ffn + 3 * 2 * c
    conditional = s2tl + (c * c + c) + (4 * c * c + c) + 2 * 2 * c
    ends = 9 * c * (bands + msi) + c + 9 * c * bands + c + 9 * c * bands + bands
    count = sum(p.numel() for p in CDFormer(bands, msi, SMALL).parameters())
    assert count == n * (s2tl + conditional) + ends


def test_cached_and_uncached_agree(network: CDFormer) -> None:
    X, Y, Z, gamma = inputs(n=2)
    with torch.no_grad():
        denoise = network.bind(X, Y)
        for scale in (1.0, 0.5):
            torch.testing.assert_close(denoise(Z, scale * gamma), network(X, Y, Z, scale * gamma), atol=0, rtol=0)


def test_untrained_network_returns_its_base_the_upsampled_y() -> None:
    X, Y, Z, gamma = inputs()
    network = CDFormer(5, 3, SMALL)
    want = F.interpolate(Y, size=X.shape[-2:], mode="bicubic", align_corners=False)
    torch.testing.assert_close(network(X, Y, Z, gamma), want, atol=0, rtol=0)


@pytest.mark.parametrize(("h", "w", "factor"), [(1, 1, 2), (1, 3, 3), (5, 3, 3), (4, 4, 8)])
@pytest.mark.parametrize("b", [1, 3])
def test_any_size_and_guide(h: int, w: int, factor: int, b: int) -> None:
    X, Y, Z, gamma = inputs(b=b, h=h, w=w, factor=factor)
    assert CDFormer(5, b, SMALL)(X, Y, Z, gamma).shape == Z.shape


def test_padding_leaves_no_trace_on_whole_windows(network: CDFormer) -> None:
    """A multiple of the window is not padded, so images of a batch do not influence each other either."""
    X, Y, Z, gamma = inputs(n=2)
    with torch.no_grad():
        both = network(X, Y, Z, gamma)
        alone = network(X[1:], Y[1:], Z[1:], gamma[1:])
    torch.testing.assert_close(both[1:], alone, atol=1e-5, rtol=1e-5)


def test_every_parameter_and_input_matters(network: CDFormer) -> None:
    tensors = [t.requires_grad_() for t in inputs()]
    network(*tensors).square().sum().backward()
    for name, p in network.named_parameters():
        # The keys' bias cancels in a softmax; every other parameter must move the output.
        assert p.grad is not None, name
        assert p.grad.abs().max() > 0, name
    for t in tensors:
        assert t.grad is not None
        assert t.grad.abs().max() > 0


def test_checkpointing_gives_the_same_gradients(network: CDFormer) -> None:
    def gradients(on: bool) -> list[torch.Tensor]:
        network.zero_grad()
        network.checkpointing = on
        network(*inputs()).square().sum().backward()
        return [p.grad.clone() for p in network.parameters() if p.grad is not None]

    for a, b in zip(gradients(False), gradients(True), strict=True):
        torch.testing.assert_close(a, b)


def test_second_half_is_the_deeper_layers_and_the_reconstruction(network: CDFormer) -> None:
    half = {id(p) for p in network.second_half()}
    names = {name for name, p in network.named_parameters() if id(p) in half}
    assert names == {n for n, _ in network.named_parameters() if n.startswith(("sr.1.", "ds.1.", "reconstruct."))}


def test_features_keep_their_size_whatever_the_depth() -> None:
    def size(layers: int) -> float:
        torch.manual_seed(0)
        network = CDFormer(5, 3, SMALL.model_copy(update={"layers": layers}))
        features = torch.randn(1, 8, 8, 8)
        for layer in network.sr:
            features = layer(features)
        return features.std().item()

    assert size(12) < 2 * size(1)


def test_same_seed_same_weights() -> None:
    def draw(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in CDFormer(5, 3, SMALL).parameters()])

    torch.testing.assert_close(draw(1), draw(1), atol=0, rtol=0)
    assert not torch.equal(draw(1), draw(2))


def test_band_mismatch_is_a_sentence(network: CDFormer) -> None:
    X, Y, _, _ = inputs(b=4)
    with pytest.raises(ShapeError, match="MSI of 4 and an HSI of 5 bands were given to a network for 3 and 5"):
        network.encode(X, Y)


def test_config_refuses_heads_that_do_not_divide() -> None:
    with pytest.raises(ValueError, match="multiple of twice the heads"):
        CDFormerConfig(channels=20, heads=3)
