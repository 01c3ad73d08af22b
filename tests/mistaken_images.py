"""Mistakes in the two images: what they are, where they lie, what their values and wavelengths say."""

from __future__ import annotations

import numpy as np
from affine import Affine

from mistake import FUSE, Mistake
from mistaken_files import (
    BANDS,
    PLACE,
    SENSOR,
    WAVELENGTHS,
    header,
    hsi,
    listed,
    msi,
    no_common_pixel,
    one_band,
    shifted,
    undeclared,
)

IMAGES: dict[str, tuple[Mistake, ...]] = {
    "The two images": (
        Mistake(
            "The two images are swapped", "fuse msi.tif hsi.tif -o fused.tif", "Give the hyperspectral image first."
        ),
        Mistake(
            "The same image is given twice", "fuse hsi.tif hsi.tif -o fused.tif", "Give the multispectral image second."
        ),
        Mistake(
            "A picture of three bands is given as the hyperspectral image",
            "fuse other.tif msi.tif -o fused.tif",
            "Give the image with many bands.",
            hsi(bands=3),
        ),
        Mistake(
            "The two show other places",
            "fuse hsi.tif other.tif -o fused.tif",
            "Look at both with `hsrdiff info`.",
            msi(crs="EPSG:32633", transform=Affine(10, 0, 5e5, 0, -10, 5e6)),
        ),
        Mistake(
            "Images without a place on the map whose sizes do not divide",
            "fuse hsi.tif other.tif -o fused.tif",
            "Cut both to the same ground, or keep their georeference.",
            msi(size=(14, 14)),
        ),
        Mistake(
            "Images of another shape",
            "fuse hsi.tif other.tif -o fused.tif",
            "Cut both to the same ground.",
            msi(size=(16, 12)),
        ),
        Mistake("A factor that is not that of the images", f"{FUSE} --factor 3", "Leave `--factor` out."),
        Mistake(
            "The multispectral pixels are hardly finer",
            "fuse hsi.tif other.tif -o fused.tif",
            "Take a finer multispectral image; this one adds nothing.",
            msi(size=(5, 5), crs="EPSG:32633", transform=Affine(36, 0, 4e5, 0, -36, 5e6)),
        ),
        Mistake(
            "The images lie more than two coarse pixels apart",
            f"fuse a-hsi.tif b-msi.tif -o fused.tif --sensor {SENSOR} -m regression",
            "Check which georeference is right; `--force` if the shift is real.",
            shifted,
        ),
        Mistake(
            "No ground is valid in both images",
            "fuse left.tif right.tif -o fused.tif",
            "Check the masks; take images with common clear ground.",
            no_common_pixel,
        ),
        Mistake(
            "An image of one coarse pixel",
            "fuse one.tif other.tif -o fused.tif",
            "Take a larger cut.",
            lambda: (hsi("one.tif", size=(1, 1))(), msi(size=(4, 4))()),
        ),
    ),
    "Places on the map": (
        Mistake(
            "The zone of one image is wrong",
            "fuse hsi.tif other.tif -o fused.tif",
            "Correct the EPSG code in the file.",
            msi(crs="EPSG:32631", transform=PLACE),
        ),
        Mistake(
            "Metres are called degrees",
            "fuse hsi.tif other.tif -o fused.tif",
            "Correct the EPSG code in the file.",
            msi(crs="EPSG:4326", transform=PLACE),
        ),
        Mistake(
            "Degrees are called metres",
            "fuse hsi.tif other.tif -o fused.tif",
            "Correct the EPSG code in the file.",
            msi(crs="EPSG:32633", transform=Affine(1e-4, 0, 13.7, 0, -1e-4, 45.1)),
        ),
        Mistake(
            "Radians are given for degrees",
            "fuse hsi.tif other.tif -o fused.tif",
            "Write the transform in degrees.",
            msi(crs="EPSG:4326", transform=Affine(1.6e-6, 0, 0.2393, 0, -1.6e-6, 0.788)),
        ),
        Mistake(
            "The EPSG code is missing, and the numbers are of another system",
            "fuse hsi.tif other.tif -o fused.tif",
            "Write the CRS into the file.",
            msi(transform=Affine(1e-4, 0, 13.7, 0, -1e-4, 45.1)),
        ),
    ),
    "Wavelengths": (
        Mistake(
            "A sensor is named, and the image has no wavelengths",
            f"fuse other.tif msi.tif -o fused.tif --sensor {SENSOR}",
            "Add the wavelengths to the file.",
            hsi(),
        ),
        Mistake(
            "Micrometres are called nanometres",
            f"fuse other.hdr msi.tif -o fused.tif --sensor {SENSOR}",
            "Correct the unit in the file.",
            header(wavelength=listed(WAVELENGTHS / 1000)),
        ),
        Mistake(
            "Fewer wavelengths than bands",
            "fuse other.hdr msi.tif -o fused.tif",
            "Correct the list in the header.",
            header(wavelength=listed(WAVELENGTHS[:5])),
        ),
        Mistake(
            "A wavelength that is no number",
            "fuse other.hdr msi.tif -o fused.tif",
            "Correct the list in the header.",
            header(wavelength="{450, 500, x, 600, 650, 700, 750, 800}"),
        ),
        Mistake(
            "Two bands with one wavelength",
            f"fuse other.hdr msi.tif -o fused.tif --sensor {SENSOR}",
            "Correct the list in the header.",
            header(wavelength=listed([450, 450, 560, 620, 680, 740, 800, 860])),
        ),
        Mistake(
            "A negative wavelength",
            "fuse other.hdr msi.tif -o fused.tif",
            "Correct the list in the header.",
            header(wavelength=listed(-WAVELENGTHS)),
        ),
        Mistake(
            "A negative band width",
            f"fuse other.hdr msi.tif -o fused.tif --sensor {SENSOR}",
            "Correct the list in the header.",
            header(fwhm=listed([-10] * BANDS)),
        ),
    ),
    "Values": (
        Mistake(
            "The hyperspectral image has no data",
            "fuse other.tif msi.tif -o fused.tif",
            "Check its nodata value.",
            hsi(values=np.full((BANDS, 4, 4), np.nan, np.float32)),
        ),
        Mistake(
            "A multispectral band has no data",
            "fuse hsi.tif other.tif -o fused.tif",
            "Leave that band out.",
            one_band("other.tif", np.nan),
        ),
        Mistake(
            "A multispectral band is constant",
            "fuse hsi.tif other.tif -o fused.tif",
            "Leave that band out.",
            one_band("other.tif", 0.3),
        ),
        Mistake(
            "The hyperspectral image is constant",
            "fuse other.tif msi.tif -o fused.tif",
            "Check the file.",
            hsi(values=np.full((BANDS, 4, 4), 0.5, np.float32)),
        ),
        Mistake(
            "Nodata of -9999 that the file does not declare",
            "fuse hsi.tif other.tif -o fused.tif",
            "Declare it.",
            msi(values=undeclared(-9999.0)),
        ),
        Mistake(
            "All bands are marked as bad",
            "fuse other.hdr msi.tif -o fused.tif",
            "Correct the marks in the header.",
            header(bbl=listed([0] * BANDS)),
        ),
    ),
}
