"""The camera's frame: where its axis and its edges are, and what a network that knows them says."""

import math

import pytest
import torch
from fuser_scenes import BANDS, small_scene

from hsrdiff.fusers.kriging import KrigingLearned
from hsrdiff.fusers.residual import (
    Coordinates,
    Evidence,
    HsrDiffResidual,
    ResidualCard,
    ResidualModel,
    ResidualModelConfig,
    channel_count,
    condition,
    save_residual,
)
from hsrdiff.fusers.residual.frame import EDGES, Frame, frame_note, whole_frame


def test_the_axis_is_the_middle_of_the_frame_seen_from_the_image():
    assert Frame((9, 21)).axis == (4.0, 10.0)
    assert Frame((9, 21), (3, 5)).axis == (1.0, 5.0)


def test_edges_by_hand():
    """exp(-d / 2): 1 on the outermost pixels of the frame, exp(-1/2) one pixel further in."""
    top, bottom, left, right = Frame((6, 8)).edges(6, 8)[0]
    assert (top[0] == 1).all()
    assert (bottom[-1] == 1).all()
    assert (left[:, 0] == 1).all()
    assert (right[:, -1] == 1).all()
    assert float(left[2, 1]) == pytest.approx(math.exp(-0.5))
    assert float(top[3, 4]) == pytest.approx(math.exp(-1.5))
    assert float(right[0, 5]) == pytest.approx(math.exp(-1.0))


def test_a_part_of_a_frame_sees_the_edges_where_they_are():
    whole, part = Frame((20, 30)), Frame((20, 30), (4, 7))
    assert torch.equal(part.edges(9, 11), whole.edges(20, 30)[..., 4:13, 7:18])
    # nothing is left of them in the middle of a camera's frame
    assert Frame((512, 512), (200, 200)).edges(64, 64).max() < 1e-30


def test_an_image_of_another_size_has_no_known_place():
    assert whole_frame((6, 8), (6, 8)) == Frame((6, 8))
    assert whole_frame((6, 8), (8, 6)) is None
    assert whole_frame(None, (6, 8)) is None
    assert frame_note((6, 8), (6, 8)) == frame_note(None, (6, 8)) == {}
    assert "5 x 4 pixels, the frame of the weights' camera 6 x 8" in frame_note((6, 8), (5, 4))["frame"]


@pytest.mark.parametrize("known", [True, False])
def test_the_condition_ends_with_the_edges_where_the_frame_is_known(kernel_weights, known):
    scene = small_scene(2, dtype=torch.float64)
    height, width = scene.X.shape[-2:]
    frame = Frame((height + 6, width + 6), (0, 6)) if known else None
    base = KrigingLearned(weights=kernel_weights, std=False)
    evidence = Evidence.of(scene, base, generator=torch.Generator().manual_seed(1), frame=frame)
    coordinates = Coordinates.of(evidence.covariance, scene.observation.spectral.matrix, 3)
    without = condition(evidence, coordinates, spectrum=True).channels
    channels = condition(evidence, coordinates, spectrum=True, edges=True).channels
    assert channels.shape[1] == channel_count(3, BANDS, edges=True) == without.shape[1] + EDGES
    assert torch.equal(channels[:, :-EDGES], without)
    expected = frame.edges(height, width) if known else torch.zeros(1, EDGES, height, width)
    assert torch.equal(channels[:, -EDGES:], expected)


def test_a_network_tells_the_edge_of_its_cameras_frame_and_says_where_it_cannot(tmp_path, kernel_weights):
    scene = small_scene()
    size = tuple(scene.X.shape[-2:])
    shape = {"coordinates": 2, "channels": 8, "layers": 1, "window": 4}
    fused = {}
    for frame in (size, (size[0] + 4, size[1])):
        with torch.random.fork_rng():
            torch.manual_seed(7)
            model = ResidualModel(ResidualModelConfig.of("sensors", BANDS, 3, frame=frame, **shape))
            torch.nn.init.normal_(model.network.reconstruct.weight, std=0.1)
            spread = torch.rand((BANDS, BANDS), dtype=torch.float64)
            model.fix(Coordinates.of(spread @ spread.T, scene.observation.spectral.matrix, 2))
        path = save_residual(tmp_path / f"{frame[0]}.safetensors", model, ResidualCard(name="tiny"))
        fuser = HsrDiffResidual(weights=path, base=kernel_weights)
        fused[frame] = fuser.fuse(scene, generator=torch.Generator().manual_seed(5))
    known, unknown = fused.values()
    assert "frame" not in known.notes
    assert "it is taken for some part of it" in unknown.notes["frame"]
    assert (known.Z_hat - unknown.Z_hat).abs().max() > 1e-5
    X, Y = scene.observation.observe(known.Z_hat)
    torch.testing.assert_close(X, scene.X, atol=2e-6, rtol=0)
    torch.testing.assert_close(Y, scene.Y, atol=2e-6, rtol=0)
