"""The table of products: each stands in the table of formats before the format that its files are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hsrdiff.cubes.products import emit, enmap, prisma, sentinel2

if TYPE_CHECKING:
    from hsrdiff.cubes.formats import CubeFormat

PRODUCTS: dict[str, CubeFormat] = {
    "enmap": enmap,
    "prisma": prisma,
    "emit": emit,
    "sentinel2": sentinel2,
}
