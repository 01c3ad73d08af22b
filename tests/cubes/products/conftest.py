"""Small products in the layout of their agencies: GeoTIFF bands on a UTM grid, and texts beside them."""

import numpy as np
import pytest
import rasterio
from affine import Affine

from hsrdiff.cubes import open_cube
from hsrdiff.errors import CubeFormatError

TRANSFORM = Affine(30.0, 0.0, 365055.0, 0.0, -30.0, 5807085.0)


@pytest.fixture
def write_tiff():
    def write(path, values, *, nodata=None, crs="EPSG:32633", transform=TRANSFORM, driver="GTiff", **options):
        values = np.asarray(values)
        values = values[None] if values.ndim == 2 else values
        count, height, width = values.shape
        path.parent.mkdir(parents=True, exist_ok=True)
        place = {} if crs is None else {"crs": crs, "transform": transform}
        with rasterio.open(
            path, "w", driver=driver, count=count, height=height, width=width, dtype=values.dtype, nodata=nodata,
            **place, **options,
        ) as raster:  # fmt: skip
            raster.write(values)
        return path

    return write


@pytest.fixture
def refusal():
    """The sentence that a product is refused with."""

    def sentence(path, **arguments):
        with pytest.raises(CubeFormatError) as caught:
            open_cube(path, **arguments)
        text = str(caught.value)
        assert "\n" not in text
        assert text.endswith(".")
        return text

    return sentence
