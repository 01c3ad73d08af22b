"""The table of products: each stands in the table of formats before the format that its files are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsrdiff.cubes.products import desis, emit, enmap, hyperion, landsat, neon, prisma, sentinel2, worldview

if TYPE_CHECKING:
    from hsrdiff.cubes.formats import CubeFormat

PRODUCTS: dict[str, CubeFormat] = {
    "enmap": enmap,
    "desis": desis,
    "prisma": prisma,
    "emit": emit,
    "neon": neon,
    "sentinel2": sentinel2,
    "landsat": landsat,
    "hyperion": hyperion,
    "worldview": worldview,
}
