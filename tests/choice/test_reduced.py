"""A method scored on the degraded pair."""

import dataclasses
import math

import pytest
import torch

from hsrdiff.choice import degrade, reduced_scores
from hsrdiff.errors import InvalidValueError
from hsrdiff.fusers import Fusion, Needs, make_fuser
from hsrdiff.metrics import q2n, score
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse


def scene(size=64):
    g = torch.Generator().manual_seed(0)
    Z = torch.rand((1, 5, size, size), generator=g, dtype=torch.float64)
    R = torch.rand((2, 5), generator=g, dtype=torch.float64)
    observation = Observation(SpectralResponse(R), SpatialResponse.gaussian(2))
    X, Y = observation.observe(Z)
    return Scene(X=X.float(), Y=Y.float(), observation=observation)


@dataclasses.dataclass
class Fixed:
    """Returns one image whatever it is given."""

    Z_hat: torch.Tensor
    name: str = "fixed"
    needs: Needs = dataclasses.field(default_factory=lambda: Needs())

    def fuse(self, scene, *, generator):
        assert scene.Z is None
        return Fusion(self.Z_hat)


def test_the_measured_image_itself_is_perfect():
    given = scene()
    found = reduced_scores(degrade(given), Fixed(given.Y))
    assert math.isinf(found.scores.psnr_db)
    assert found.scores.sam_deg == pytest.approx(0, abs=1e-5)
    assert found.q2n == pytest.approx(1.0)
    assert (found.method, found.factor, found.pixels, found.remarks) == ("fixed", 2, 256, ())


def test_scores_are_those_of_the_fusion_against_y():
    given = scene()
    degraded = degrade(given)
    found = reduced_scores(degraded, make_fuser("regression"), seed=3)
    fusion = make_fuser("regression").fuse(degraded.scene, generator=torch.Generator())
    peak = float(f"{float(given.Y.max()):.6g}")
    assert found.scores == score(fusion.Z_hat, given.Y, factor=2, clip=False, peak=peak)
    assert found.q2n == q2n(fusion.Z_hat, given.Y)
    assert "ERGAS 100/2" in found.convention
    assert "Q2n in 32x32 blocks" in found.convention


def test_masked_pixels_do_not_count_and_a_result_without_numbers_is_refused():
    given = scene()
    valid_lr = torch.ones((1, 1, 32, 32), dtype=torch.bool)
    valid_lr[..., :5, :] = False
    degraded = degrade(dataclasses.replace(given, valid_lr=valid_lr))
    Z_hat = given.Y.clone()
    Z_hat[:, :, :5] = torch.nan
    assert reduced_scores(degraded, Fixed(Z_hat)).q2n == pytest.approx(1.0)
    Z_hat[:, :, 20] = torch.nan
    with pytest.raises(InvalidValueError, match="NaN"):
        reduced_scores(degraded, Fixed(Z_hat))
