"""A process of its own that fuses one made-up scene and prints what it took: side, method, seed and threads follow."""

from __future__ import annotations

import json
import resource
import sys
import time

import torch
from torch.nn import functional as F

from hsrdiff.datasets.guide import gaussians_over_bands
from hsrdiff.experiments.kriging_cost import BANDS, FACTOR, GUIDE_BANDS, STD
from hsrdiff.fusers import FUSERS, make_fuser
from hsrdiff.observation import Observation, Scene, SpatialResponse
from hsrdiff.rng import generator

MATERIALS = 6
SCALES = (4, 32, 128)  # HR pixels of the patches that materials come in


def made_up_scene(side: int, seed: int) -> Scene:
    """Mix a few smooth spectra by patches of several sizes; Z itself is never formed.

    Args:
        side: HR pixels along both axes, a multiple of the factor.
        seed: Decides spectra and patches.

    Returns:
        X and Y of such a scene, with its observation and without Z.
    """
    g = generator(seed, "made-up scene", side)
    logits = torch.zeros((1, MATERIALS, side, side))
    for scale in SCALES:
        coarse = torch.randn((1, MATERIALS, -(-side // scale), -(-side // scale)), generator=g)
        logits += 2.0 * F.interpolate(coarse, size=(side, side), mode="bilinear", align_corners=False)
    shares = logits.softmax(dim=1)
    knots = torch.rand((1, MATERIALS, 6), generator=g)
    spectra = F.interpolate(knots, size=BANDS, mode="linear", align_corners=True)[0].T  # (B, materials)
    spectral, spatial = gaussians_over_bands(GUIDE_BANDS, BANDS), SpatialResponse.gaussian(FACTOR)
    X = torch.einsum("bm,nmhw->nbhw", spectral.matrix.float() @ spectra, shares)
    Y = torch.einsum("bm,nmhw->nbhw", spectra, spatial.apply(shares))
    return Scene(X=X, Y=Y, observation=Observation(spectral, spatial), name=f"{side} x {side}")


def peak_mib() -> float:
    """Largest memory that this process has had, MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main(side: int, method: str, seed: int, threads: int) -> None:
    """Fuse and print one JSON object.

    Args:
        side: HR pixels along both axes.
        method: A name in `hsrdiff.fusers.FUSERS`, with `STD` behind it for the standard deviation too.
        seed: Decides the scene and the method's draws.
        threads: Processor threads.
    """
    torch.set_num_threads(threads)
    name = method.removesuffix(STD)
    options = {"std": name != method} if name in FUSERS and "std" in FUSERS[name].options else {}
    fuser = make_fuser(name, **options)
    fuser.fuse(made_up_scene(64, seed), generator=generator(seed, "warm"))
    scene = made_up_scene(side, seed)
    before = peak_mib()
    began = time.perf_counter()
    fusion = fuser.fuse(scene, generator=generator(seed, "fuse", method))
    seconds = time.perf_counter() - began
    if not bool(torch.isfinite(fusion.Z_hat).all()):
        raise SystemExit("the result is not finite")
    print(json.dumps({"seconds": seconds, "before_mib": before, "peak_mib": peak_mib()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
