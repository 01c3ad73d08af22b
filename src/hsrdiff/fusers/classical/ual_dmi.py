"""UAL-DMI: a deep result refined in closed form by its gradients (Wang, Chen and Richard, ICASSP 2022)."""

from __future__ import annotations

from dataclasses import replace

import torch

from hsrdiff.fusers.base import Fuser, Fusion, Needs, require_observation
from hsrdiff.fusers.classical.cosine import cosine, path_spectrum
from hsrdiff.fusers.masking import fill_invalid, mask_output, output_mask
from hsrdiff.fusers.options import count, positive, weight
from hsrdiff.observation import Scene, SoftConsistency
from hsrdiff.observation.completion import complete_pair
from hsrdiff.typing import HRHSI


class UalDmi:
    """Keep the gradients of a deep result Z_d, and the two images.

        min_Z |Y - Z D|^2 + |X - R Z|^2 + mu |L (Z - Z_d)|^2 + nu |E (Z - Z_d)|^2

    with L the Laplacian of every band and E the difference of neighbouring bands. Half-quadratic splitting with a
    second cube V, ``rho |Z - V|^2``, starts at V = Z_d and repeats two closed forms:

        Z: (R^T R + rho I) Z + Z D D^T = R^T X + Y D^T + rho V                      (`SoftConsistency`)
        V: (rho + mu L^T L + nu E^T E)(V - Z_d) = rho (Z - Z_d)                     (`gradient_step`)

    The result is the last Z. The defaults are the published ones; the problem is quadratic, so units do not matter.

    Two differences from the authors' program: Z is solved with the scene's own D, any border, where theirs takes a
    circular blur; L ends freely at the border of the image, where theirs wraps around.

    Args:
        deep: The method whose result is refined.
        mu: Weight of the spatial gradients, at least 0.
        nu: Weight of the spectral gradients, at least 0.
        rho: Penalty of the splitting, above 0.
        iterations: Repetitions, at least 1.

    Raises:
        InputError: If an option is out of range.
    """

    name = "ual-dmi"

    def __init__(
        self, deep: Fuser, *, mu: float = 5e-2, nu: float = 5e-3, rho: float = 1e-3, iterations: int = 20
    ) -> None:
        self.deep = deep
        self.mu, self.nu, self.rho = weight("mu", mu), weight("nu", nu), positive("rho", rho)
        self.iterations = count("iterations", iterations)

    @property
    def needs(self) -> Needs:
        """R, D, and what the deep method must be told."""
        return replace(self.deep.needs, response=True, psf=True)

    @torch.no_grad()
    def fuse(self, scene: Scene, *, generator: torch.Generator) -> Fusion:
        """Run the deep method, then refine its result.

        Args:
            scene: The scene, with its observation.
            generator: Source of the deep method's randomness.

        Returns:
            The estimate, in the type of Y, NaN where X or Y is invalid.

        Raises:
            InputError: If the scene does not fit together or has no observation.
            HsrdiffError: Whatever the deep method says.
        """
        scene.check()
        observation = require_observation(scene, self.name)
        fusion = self.deep.fuse(scene, generator=generator)
        mask = output_mask(scene)
        Z_d = fill_invalid(fusion.Z_hat.double(), mask)
        X, Y = complete_pair(observation, Z_d, scene.X.to(Z_d), scene.Y.to(Z_d), scene.valid, scene.valid_lr)
        size = (int(Z_d.shape[-2]), int(Z_d.shape[-1]))
        fidelity = SoftConsistency(observation, size, 1.0, 1.0, self.rho**-0.5)
        V = Z = Z_d
        for repetition in range(self.iterations):
            if repetition:
                V = gradient_step(Z, Z_d, self.mu / self.rho, self.nu / self.rho)
            Z = fidelity.project(V, X, Y)
        notes = fusion.notes | {"deep": f"the result of '{self.deep.name}', refined by its gradients"}
        return Fusion(mask_output(Z.to(scene.Y), mask), None, notes)


def gradient_step(Z: HRHSI, Z_d: HRHSI, mu: float, nu: float) -> HRHSI:
    """Minimise ``|V - Z|^2 + mu |L (V - Z_d)|^2 + nu |E (V - Z_d)|^2`` over V, exactly.

    In the cosine transform over bands, rows and columns, with d the squared spectrum of L and g that of E,
    ``V = Z_d + (Z - Z_d) / (1 + mu d + nu g)``.

    Args:
        Z: Shape (n, B, H, W).
        Z_d: Likewise.
        mu: Weight of the spatial gradients, at least 0.
        nu: Weight of the spectral gradients, at least 0.

    Returns:
        V, same shape.
    """
    g, rows, columns = (path_spectrum(length) for length in Z.shape[1:])
    d = (rows[:, None] + columns).square()
    gain = 1.0 / (1.0 + mu * d + nu * g[:, None, None])
    axes = (1, 2, 3)
    return Z_d + cosine(cosine(Z - Z_d, axes) * gain.to(Z), axes, inverse=True)
