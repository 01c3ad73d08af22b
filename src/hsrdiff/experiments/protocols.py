"""What Table 1 of the paper compares on each data set: the lines, their recipes, factor and guide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hsrdiff.observation import SpatialResponse

SHIPPED = "hsr-diff-residual"


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Attributes:
        title: What the table calls it.
        method: A name in `hsrdiff.fusers.FUSERS`.
        recipe: What its weights are trained by; empty where it has none, or those of the package.
        options: Options of the method beside its weights.
        published: What the paper's table calls it, where it stands there.
        minutes: Processor minutes that the recipe is made for, on the machine of docs/numbers.md.
    """

    title: str
    method: str
    recipe: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    published: str = ""
    minutes: float = 45.0


@dataclass(frozen=True)
class Protocol:
    """A data set of the table.

    Attributes:
        dataset: Name in the catalog.
        factor: H / h.
        sensor: The guide; the data set's own when None.
        entries: The lines.
        summary: What is compared, in words.
        exact_psf: The data set's own PSF; the Gaussian of P17 when None.
    """

    dataset: str
    factor: int
    sensor: str | None
    entries: tuple[Entry, ...]
    summary: str
    exact_psf: SpatialResponse | None = None

    @property
    def psf(self) -> str:
        """The PSF in words, to stand beside every number."""
        return (self.exact_psf or SpatialResponse.gaussian(self.factor)).describe()


def _entries(suffix: str, diffusion: str, residual: str = "") -> tuple[Entry, ...]:
    """Return the lines of a data set whose recipes end in a suffix."""
    quick = {"std": False}
    return (
        Entry("bicubic", "bicubic"),
        Entry("regression", "regression"),
        Entry("UTV-TD", "utv-td", published="UTV-TD"),
        Entry("HySure", "hysure"),
        # the published 1500 steps of the adaptor take half an hour a scene on this machine
        Entry("UAL, 100 steps of its adaptor", "ual", f"ual-{suffix}", {"steps": 100}, "UAL"),
        Entry("BRResNet", "brresnet", f"brresnet-{suffix}", published="BRResNet"),
        Entry("CMHF-Net", "cmhf-net", f"cmhf-net-{suffix}", published="CMHF-Net"),
        Entry("UAL-DMI, on UAL of 100 steps", "ual-dmi", f"ual-{suffix}", {"steps": 100}, "UAL-DMI"),
        Entry("Fusformer", "fusformer", f"fusformer-{suffix}", published="Fusformer"),
        Entry(
            "HSR-Diff, paper mode, 25 of 100 steps",
            "hsr-diff",
            diffusion,
            {"steps": 25, "precision": "bfloat16"},
            "HSR-Diff",
        ),
        Entry("kriging", "kriging", options=quick),
        Entry("kriging-learned", "kriging-learned", options=quick),
        Entry("HSR-Diff, residual mode", SHIPPED, residual),
    )


PROTOCOLS: dict[str, Protocol] = {
    "cave": Protocol(
        "cave",
        32,
        None,
        _entries("cave-x32", "cdformer-cave-x32"),
        "twelve CAVE test scenes at x32, guide of a Nikon D700",
        SpatialResponse.cave_x32(),
    ),
    "paviau": Protocol(
        "paviau",
        4,
        None,
        _entries("paviau-x4", "cdformer-paviau-x4"),
        "the test square of PaviaU at x4, guide of four WorldView-3 bands",
    ),
    "chikusei": Protocol(
        "chikusei",
        4,
        None,
        _entries("chikusei-x4", "cdformer-chikusei-x4"),
        "eight test tiles of Chikusei at x4, guide of four WorldView-3 bands",
    ),
    # no data set of the paper: it stands in for those that must be asked for
    "aviris-la": Protocol(
        "aviris-la",
        4,
        # P66: all eight bands of WorldView-3 in the visible and near infrared; PaviaU and Chikusei have four of them
        "worldview3:ms",
        _entries("aviris-la-x4", "cdformer-aviris-la-x4"),
        "the AVIRIS test scene of Los Angeles at x4, guide of eight WorldView-3 bands, which the paper does not have",
    ),
}
