"""D estimated from the pair itself: a free kernel where the pair can tell it, else a displaced Gaussian."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from hsrdiff.errors import InvalidValueError, ShapeError
from hsrdiff.observation.free_psf import fit_free
from hsrdiff.observation.gaussian_psf import FURTHEST, NARROWEST, WIDEST, GaussianFit, Sharp, fit_gaussian, widest_size
from hsrdiff.observation.scene import Scene
from hsrdiff.observation.spatial import FWHM_PER_SIGMA, SpatialResponse
from hsrdiff.observation.spectral import SpectralResponse

GAUSSIAN, FREE = "gaussian", "free"
# A free kernel is taken where it leaves this share of what the Gaussian leaves of pixels it has not seen, or less.
_BETTER = 0.8
# LR pixels inside the widest window below which every pixel is used and the border rule trusted.
_FEW = 25
WINDOW = 192  # largest side, LR pixels, of the part in the middle that is used: more says little more
# A width or displacement uncertain by more than this, in LR pixels, is not known.
_UNCERTAIN = 0.15


@dataclass(frozen=True, eq=False)
class PsfEstimate:
    """D found from a pair, and how well the pair fixes it.

    Attributes:
        spatial: D.
        kind: ``"gaussian"`` or ``"free"``.
        gaussian: The Gaussian that fits best, whichever kind was taken.
        fwhm_lr: Full width at half maximum in LR pixels: of the Gaussian, or of one with the free kernel's spread.
        shift_lr: Displacement of the kernel's centre along rows and columns, LR pixels.
        uncertainty_lr: Standard error of the width, LR pixels.
        shift_uncertainty_lr: Larger standard error of the displacement, LR pixels.
        kernel_uncertainty: Standard error of a free kernel over its size; nan for a Gaussian.
        left: Share of the variance of R Y that X D leaves; of held-out pixels for a free kernel.
        pixels: LR pixels used.
    """

    spatial: SpatialResponse
    kind: str
    gaussian: GaussianFit
    fwhm_lr: float
    shift_lr: tuple[float, float]
    uncertainty_lr: float
    shift_uncertainty_lr: float
    kernel_uncertainty: float
    left: float
    pixels: int

    @property
    def known(self) -> bool:
        """Whether the pair fixes width and displacement: to 0.15 LR pixels, and not at an end of what was looked at."""
        factor = self.spatial.factor
        wide = self.gaussian.sigma * FWHM_PER_SIGMA / factor
        inside = (
            NARROWEST * 1.01 < wide < WIDEST * 0.99 and max(map(abs, self.gaussian.shift)) < 0.99 * FURTHEST * factor
        )
        certain = max(self.uncertainty_lr, self.shift_uncertainty_lr) < _UNCERTAIN
        return bool(certain and (inside or self.kind == FREE))

    def describe(self) -> str:
        """Say in words what was found."""
        down, right = self.shift_lr
        kind = "a free kernel" if self.kind == FREE else "a Gaussian"
        words = (
            f"{kind}, {self.fwhm_lr:.2f} coarse pixels wide at half maximum "
            f"(standard error {self.uncertainty_lr:.1g}), "
            f"centred {down:+z.3f} rows and {right:+z.3f} columns from the middle of the coarse pixel "
            f"(standard error {self.shift_uncertainty_lr:.1g}); found from {self.pixels} coarse pixels, of whose "
            f"variance it leaves {100 * self.left:.2g} %"
        )
        return words if self.known else f"not fixed by this pair; the best fit is {words}"


def estimate_psf(scene: Scene, spectral: SpectralResponse, *, free: bool = True) -> PsfEstimate:
    """Find D from ``R Y = X D``: each LR pixel is a weighted sum of the K x K window of X round it.

    Only LR pixels whose widest window lies inside the image and on valid pixels are used, so that no border rule is
    part of what is found. Each band has its own gain and offset, found along: neither another unit nor a haze counts.

    Args:
        scene: X, Y and their masks.
        spectral: R; rows need not be in the unit of the pair.
        free: Whether a free kernel may be taken: where there are 4 LR pixels for each of its weights and it foretells
            held-out pixels clearly better than the Gaussian.

    Returns:
        The estimate.

    Raises:
        ShapeError: R does not fit the images.
        InvalidValueError: No LR pixel is valid in both images, or none shows detail.
    """
    if (spectral.msi_bands, spectral.bands) != (scene.msi_bands, scene.bands):
        raise ShapeError(
            f"R is {spectral.msi_bands} x {spectral.bands}",
            expected=f"{scene.msi_bands} x {scene.bands}, as the images",
        )
    part = _middle(scene)
    sharp = _sharp(part, spectral)
    gaussian = fit_gaussian(sharp)
    s = sharp.factor
    kernel, left, kind, uncertainty = gaussian.kernel, gaussian.left, GAUSSIAN, math.nan
    fwhm, shift = gaussian.sigma * FWHM_PER_SIGMA, gaussian.shift
    errors = gaussian.sigma_error * FWHM_PER_SIGMA, max(gaussian.shift_error)
    found = fit_free(sharp, gaussian) if free else None
    if found is not None and found.left < _BETTER * gaussian.left:
        kernel, left, kind, uncertainty = found.kernel, found.left, FREE, found.uncertainty
        fwhm, shift = spread(kernel)
        # weights at u in -K/2 .. K/2, each off by uncertainty |k| / K, move the centre by the root of the sum of
        # (u / K)^2, K^2 / 12, times that; the width, of which the same weights tell, by about as much
        errors = (uncertainty * float(kernel.norm()) * len(kernel) / math.sqrt(12.0),) * 2
    name = f"estimated Gaussian sigma {gaussian.sigma:.5g} px, centre {shift[0]:+z.4f}, {shift[1]:+z.4f} px"
    return PsfEstimate(
        spatial=SpatialResponse(kernel, s, name=name if kind == GAUSSIAN else "estimated kernel"),
        kind=kind,
        gaussian=gaussian,
        fwhm_lr=fwhm / s,
        shift_lr=(shift[0] / s, shift[1] / s),
        uncertainty_lr=errors[0] / s,
        shift_uncertainty_lr=errors[1] / s,
        kernel_uncertainty=uncertainty,
        left=left,
        pixels=int(sharp.usable.sum()),
    )


def spread(kernel: torch.Tensor) -> tuple[float, tuple[float, float]]:
    """Return the FWHM of a Gaussian with the kernel's variance, and the kernel's centre, in HR pixels.

    Args:
        kernel: Shape (K, K), sum 1.

    Returns:
        The width, and the centre along rows and columns from the middle of the kernel.
    """
    u = torch.arange(len(kernel), dtype=torch.float64) - (len(kernel) - 1) / 2
    profiles = kernel.sum(dim=1), kernel.sum(dim=0)
    centre = [float((profile * u).sum()) for profile in profiles]
    variance = [float((p * (u - c).square()).sum()) for p, c in zip(profiles, centre, strict=True)]
    return FWHM_PER_SIGMA * math.sqrt(max(sum(variance), 0.0) / 2), (centre[0], centre[1])


def _middle(scene: Scene) -> Scene:
    """Return the part of a large scene in the middle: the search takes time for each pixel."""
    height, width = scene.Y.shape[-2:]
    tall, wide = min(height, WINDOW), min(width, WINDOW)
    if (tall, wide) == (height, width):
        return scene
    part = scene.crop_lr((height - tall) // 2, (width - wide) // 2, tall, wide)
    # a middle without data says nothing of the rest
    blank = (part.valid is not None and not part.valid.any()) or (part.valid_lr is not None and not part.valid_lr.any())
    return scene if blank else part


def _sharp(scene: Scene, spectral: SpectralResponse) -> Sharp:
    """Return the guide, R Y, and the LR pixels whose widest window is whole."""
    s, (height, width) = scene.factor, scene.Y.shape[-2:]
    size = widest_size(s)
    valid = torch.ones_like(scene.X[:, :1], dtype=torch.bool) if scene.valid is None else scene.valid
    usable = SpatialResponse.from_kernel(torch.ones(size, size), s).apply(valid.double())[0, 0] >= 1.0 - 1e-6
    if scene.valid_lr is not None:
        usable = usable & scene.valid_lr[0, 0]
    margin = math.ceil((size - s) / 2 / s)
    inside = torch.zeros_like(usable)
    inside[margin : height - margin, margin : width - margin] = True
    if int((usable & inside).sum()) >= _FEW:
        usable = usable & inside
    X = scene.X.double() if scene.valid is None else torch.where(scene.valid, scene.X, 0.0).double()
    Y = scene.Y.double() if scene.valid_lr is None else torch.where(scene.valid_lr, scene.Y, 0.0).double()
    RY = spectral.apply(Y)[0]
    if int(usable.sum()) < 2 or not bool((RY[:, usable].std(dim=1) > 0).any()):
        raise InvalidValueError(
            "the PSF cannot be estimated: too few coarse pixels are valid in both images, or they show no detail",
            expected="detail that both images see",
            do="leave the PSF as it is assumed",
        )
    return Sharp(X, RY, usable, s)
