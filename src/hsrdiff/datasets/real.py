"""Real images beside or in place of a simulated pair: a guide that was measured, and pairs without truth."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import xarray as xr


@runtime_checkable
class RealGuide(Protocol):
    """What a `Dataset` has beside its own methods when the guide X of its scenes was measured, not simulated."""

    def load_guide(self, scene: str) -> xr.DataArray | None:
        """Read the HR-MSI X of one scene, on the grid of Z.

        Args:
            scene: A name from ``scenes``.

        Returns:
            A cube (b, H, W), float32, in the unit of Z, invalid pixels NaN; None where the guide is simulated, because
            another one was asked for.

        Raises:
            DatasetNotFoundError: If its files are not there.
            InputError: For an unknown scene.
        """


class RealPairs(Protocol):
    """Pairs of two instruments whose Z nobody knows: they can be fused, not scored and not learnt from.

    Attributes:
        name: Name in the catalog.
        citation: Who published the data.
        factor: Resolution ratio H / h.
        sensor: The guide's sensor, as `hsrdiff.fuse` and `load_sensor` take it.
    """

    @property
    def name(self) -> str:
        """Name in the catalog."""

    @property
    def citation(self) -> str:
        """Who published the data."""

    @property
    def factor(self) -> int:
        """Resolution ratio H / h."""

    @property
    def sensor(self) -> str:
        """The guide's sensor, as `hsrdiff.fuse` and `load_sensor` take it."""

    def pairs(self) -> tuple[str, ...]:
        """Return the names of the pairs, always the same and in the same order.

        Returns:
            Names that `load_pair` takes.
        """

    def load_pair(self, pair: str) -> tuple[xr.DataArray, xr.DataArray]:
        """Read both images of one pair, as `hsrdiff.fuse` takes them.

        Args:
            pair: A name from `pairs`.

        Returns:
            LR-HSI Y, a cube (B, h, w), and HR-MSI X, a cube (b, H, W), H = factor h and W = factor w, float32, invalid
            pixels NaN.

        Raises:
            DatasetNotFoundError: If its files are not there.
            CubeFormatError: If a file cannot be read or is not laid out as it should be.
            InputError: For an unknown pair.
        """
