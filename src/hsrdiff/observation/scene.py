"""Scene: the two images of one place, how they came about, and the truth where it is known."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch

from hsrdiff.errors import FactorError, InputError, InvalidValueError, ShapeError, WavelengthError
from hsrdiff.observation.model import Observation
from hsrdiff.typing import HRHSI, LRHSI, MSI, FloatArray


@dataclass(frozen=True, eq=False)
class Scene:
    """X and Y of one place, their masks and noise, the observation, and Z where it is known.

    Args:
        X: HR-MSI, shape (1, b, H, W).
        Y: LR-HSI, shape (1, B, h, w), H = factor h and W = factor w.
        observation: R and D of Eq. (1), or None when unknown.
        Z: True HR-HSI, shape (1, B, H, W), or None.
        valid: True where X may be used, bool (1, 1, H, W); None means everywhere.
        valid_lr: True where Y may be used, bool (1, 1, h, w); None means everywhere.
        sigma_x: Standard deviation of the noise of X, in its units.
        sigma_y: Standard deviation of the noise of Y, in its units.
        wavelengths_nm: Centres of the B bands, shape (B,), nm, or None.
        name: What tables call the scene.
    """

    X: MSI
    Y: LRHSI
    observation: Observation | None = None
    Z: HRHSI | None = None
    valid: torch.Tensor | None = None
    valid_lr: torch.Tensor | None = None
    sigma_x: float = 0.0
    sigma_y: float = 0.0
    wavelengths_nm: FloatArray | None = None
    name: str = ""

    @property
    def factor(self) -> int:
        """Ratio of the two pixel sizes, H / h = W / w.

        Raises:
            FactorError: It is not the same whole number of at least 2 in both directions.
        """
        (H, W), (h, w) = self.X.shape[-2:], self.Y.shape[-2:]
        factor = H // h if h else 0
        if factor < 2 or (factor * h, factor * w) != (H, W):
            ratios = f", ratios {H / h:.4g} and {W / w:.4g}" if h and w else ""
            raise FactorError(
                f"the multispectral image is {H} x {W} and the hyperspectral one {h} x {w} pixels{ratios}",
                expected="the same whole ratio of at least 2 in both directions",
                do="crop or resample the images to a common grid first",
            )
        return factor

    @property
    def bands(self) -> int:
        """B, the number of HSI bands."""
        return int(self.Y.shape[1])

    @property
    def msi_bands(self) -> int:
        """b, the number of MSI bands."""
        return int(self.X.shape[1])

    def check(self) -> Scene:
        """Make sure that the parts fit together.

        Returns:
            The scene itself.

        Raises:
            ShapeError: Shapes or band counts disagree.
            FactorError: The sizes are not a whole ratio, or not that of D.
            InvalidValueError: NaN or infinite values inside a mask, or an empty mask.
            WavelengthError: There is not one wavelength for each band.
            InputError: A noise level is negative or not finite.
        """
        for letter, image in (("X", self.X), ("Y", self.Y)):
            if image.ndim != 4 or image.shape[0] != 1 or not image.numel() or not image.is_floating_point():
                raise ShapeError(
                    f"{letter} has shape {tuple(image.shape)} and type {image.dtype}",
                    expected="a floating (1, bands, rows, columns)",
                )
        factor = self.factor
        (H, W), (h, w) = self.X.shape[-2:], self.Y.shape[-2:]
        _check_shape("Z", self.Z, (1, self.bands, H, W))
        _check_shape("the mask of X", self.valid, (1, 1, H, W))
        _check_shape("the mask of Y", self.valid_lr, (1, 1, h, w))
        self._check_observation(factor)
        if self.wavelengths_nm is not None and len(self.wavelengths_nm) != self.bands:
            raise WavelengthError(
                f"there are {len(self.wavelengths_nm)} wavelengths",
                expected=f"one for each of {self.bands} bands",
            )
        for letter, sigma in (("X", self.sigma_x), ("Y", self.sigma_y)):
            if not (math.isfinite(sigma) and sigma >= 0):
                raise InputError(f"the noise level of {letter} is {sigma}", expected="a number of at least 0")
        _check_values("X", self.X, self.valid)
        _check_values("Y", self.Y, self.valid_lr)
        return self

    def _check_observation(self, factor: int) -> None:
        if self.observation is None:
            return
        spectral, spatial = self.observation.spectral, self.observation.spatial
        if (spectral.msi_bands, spectral.bands) != (self.msi_bands, self.bands):
            raise ShapeError(
                f"the images have {self.msi_bands} multispectral and {self.bands} hyperspectral bands",
                expected=f"{spectral.msi_bands} and {spectral.bands}, as the spectral response has them",
                do="select the sensor's bands that the multispectral image has, in its order",
            )
        if spatial.factor != factor:
            raise FactorError(
                f"the images' sizes have ratio {factor}", expected=f"{spatial.factor}, the factor of the PSF"
            )

    def crop_lr(self, row: int, col: int, height: int, width: int) -> Scene:
        """Cut the same rectangle out of X, Y, Z and the masks.

        Where D reaches beyond its block (K > factor), Y = Z D holds only away from the cut edges.

        Args:
            row: First LR row.
            col: First LR column.
            height: Rows in LR pixels, at least 1.
            width: Columns in LR pixels, at least 1.

        Returns:
            A scene of views, height x width LR pixels.

        Raises:
            ShapeError: The rectangle is not inside the scene.
        """
        h, w = self.Y.shape[-2:]
        if min(row, col) < 0 or min(height, width) < 1 or row + height > h or col + width > w:
            raise ShapeError(
                f"the crop starts at ({row}, {col}) and is {height} x {width} LR pixels",
                expected=f"a rectangle inside {h} x {w}",
            )
        s = self.factor

        def fine(image: torch.Tensor) -> torch.Tensor:
            return image[..., row * s : (row + height) * s, col * s : (col + width) * s]

        def coarse(image: torch.Tensor) -> torch.Tensor:
            return image[..., row : row + height, col : col + width]

        return dataclasses.replace(
            self,
            X=fine(self.X),
            Y=coarse(self.Y),
            Z=None if self.Z is None else fine(self.Z),
            valid=None if self.valid is None else fine(self.valid),
            valid_lr=None if self.valid_lr is None else coarse(self.valid_lr),
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Scene:
        """Move the images, and the masks without changing their type.

        Args:
            device: Where to, or None to stay.
            dtype: Floating type of the images, or None to keep it.

        Returns:
            A scene there.
        """
        target = torch.device(device) if device is not None else self.X.device
        kind = dtype if dtype is not None else self.X.dtype
        return dataclasses.replace(
            self,
            X=self.X.to(target, kind),
            Y=self.Y.to(target, kind),
            Z=None if self.Z is None else self.Z.to(target, kind),
            valid=None if self.valid is None else self.valid.to(target),
            valid_lr=None if self.valid_lr is None else self.valid_lr.to(target),
        )


def _check_shape(what: str, image: torch.Tensor | None, shape: tuple[int, ...]) -> None:
    if image is not None and tuple(image.shape) != shape:
        raise ShapeError(f"{what} has shape {tuple(image.shape)}", expected=f"{shape}")


def _check_values(letter: str, image: torch.Tensor, valid: torch.Tensor | None) -> None:
    bad = ~torch.isfinite(image)
    if valid is not None:
        if valid.dtype != torch.bool:
            raise InputError(f"the mask of {letter} has type {valid.dtype}", expected="bool")
        if not valid.any():
            raise InvalidValueError(f"the mask of {letter} leaves no pixel", expected="at least one valid pixel")
        bad = bad & valid
    if bad.any():
        pixels = int(bad.any(dim=1).sum())
        raise InvalidValueError(
            f"{letter} has NaN or infinite values in {pixels} pixels",
            expected="finite values wherever its mask is true",
            do="mask those pixels or fill them",
        )
