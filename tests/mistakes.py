"""What users get wrong, each with the files and the command that bring it about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from hsrdiff.cubes import open_cube, write_cube
from mistaken_files import (
    BANDS,
    PLACE,
    SENSOR,
    WAVELENGTHS,
    changed_bands,
    enmap_without_xml,
    flat_hdf5,
    half_weights,
    header,
    hsi,
    kernel,
    large,
    listed,
    locked,
    msi,
    no_common_pixel,
    one_band,
    pickled,
    raw_file,
    shifted,
    text_file,
    truncated,
    two_variables,
    undeclared,
)

FUSE = "fuse hsi.tif msi.tif -o fused.tif"
SIMULATE = f"simulate truth.tif --sensor {SENSOR} --out-hsi h.tif --out-msi m.tif"


@dataclass(frozen=True)
class Mistake:
    """One row of the page.

    Attributes:
        done: What was done.
        command: What was typed behind ``hsrdiff``.
        do: What to do instead.
        make: Writes the files that the command meets beside the good ones.
        broken: Changes the machine for the command's time, by a `pytest.MonkeyPatch`, in the folder given.
    """

    done: str
    command: str
    do: str
    make: Callable[[], object] = lambda: None
    broken: Callable[[pytest.MonkeyPatch, Path], object] = lambda patch, folder: None


@dataclass(frozen=True)
class Mended:
    """What is put right without asking, and said.

    Attributes:
        found: What the images were like.
        command: What was typed behind ``hsrdiff``.
        says: Part of what is printed.
        make: Writes the files that the command meets beside the good ones.
    """

    found: str
    command: str
    says: str
    make: Callable[[], object] = lambda: None


SRF = "wavelength_nm,a,b,c,d\n"

MISTAKES: dict[str, tuple[Mistake, ...]] = {
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
    "Sensors": (
        Mistake(
            "A sensor that does not exist", f"{FUSE} --sensor sentinel3", "Take a name that is suggested, or `--srf`."
        ),
        Mistake(
            "A band that the sensor does not have",
            f"{FUSE} --sensor sentinel2 --bands B2,B3,B4,B99",
            "Name the bands as the sensor does.",
        ),
        Mistake(
            "A sensor with another number of bands",
            f"{FUSE} --sensor sentinel2:B2,B3",
            "Name one band of the sensor for each band of the image.",
        ),
        Mistake(
            "Bands that the hyperspectral image does not see",
            f"{FUSE} --sensor sentinel2:B2,B3,B4,B12",
            "Leave out that band, in the image and in the name.",
        ),
        Mistake(
            "Bands named in another order than the image's",
            "fuse large-hsi.tif large-msi.tif -o fused.tif --sensor sentinel2 --bands B8,B4,B3,B2",
            "Name them in the order of the file, which `hsrdiff info` shows.",
            large,
        ),
        Mistake("Bands without a sensor", f"{FUSE} --bands B2,B3,B4,B8", "Name the sensor too."),
        Mistake(
            "A sensor and a table",
            f"{FUSE} --sensor {SENSOR} --srf t.csv",
            "Give one of the two.",
            text_file("t.csv", SRF + "400,1,1,1,1\n900,1,1,1,1\n"),
        ),
        Mistake("A table that is not there", f"{FUSE} --srf t.csv", "Check its path."),
        Mistake(
            "A table with words for numbers",
            f"{FUSE} --srf t.csv",
            "Correct that line.",
            text_file("t.csv", SRF + "400,x,1,1,1\n900,1,1,1,1\n"),
        ),
        Mistake(
            "A table that does not meet the image",
            f"{FUSE} --srf t.csv",
            "Check the unit of its wavelengths.",
            text_file("t.csv", SRF + "1400,1,1,1,1\n1900,1,1,1,1\n"),
        ),
        Mistake(
            "A table in micrometres",
            f"{FUSE} --srf t.csv",
            "Write nanometres.",
            text_file("t.csv", SRF + "0.4,1,1,1,1\n0.9,1,1,1,1\n"),
        ),
        Mistake(
            "A table of negative responses",
            f"{FUSE} --srf t.csv",
            "Correct the table.",
            text_file("t.csv", SRF + "400,-1,1,1,1\n900,-1,1,1,1\n"),
        ),
        Mistake("An empty table", f"{FUSE} --srf t.csv", "Write the responses into it.", text_file("t.csv", "")),
        Mistake(
            "A method that must know the sensor, and none is named",
            f"{FUSE} -m kriging",
            "Name the sensor, or use `-m auto`.",
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
    "Numbers and the PSF": (
        Mistake("A peak of 0", f"{FUSE} --peak 0", "Leave `--peak` out."),
        Mistake("A peak that is no number", f"{FUSE} --peak nan", "Leave `--peak` out."),
        Mistake("A negative noise", f"{FUSE} --noise-hsi -1", "Leave it out to have it estimated."),
        Mistake("A PSF of no width", f"{FUSE} --psf-fwhm 0", "Give the width in coarse pixels, about 1."),
        Mistake("A factor of 1", f"{SIMULATE} --factor 1", "Give the ratio of the pixel sizes."),
        Mistake("A factor larger than the image", f"{SIMULATE} --factor 20", "Take a larger image."),
        Mistake("No sampling steps", f"{FUSE} -m hsr-diff --weights mine.safetensors --steps 0", "Give at least 1."),
        Mistake("A PSF file that is not there", f"{FUSE} --psf k.csv", "Check its path."),
        Mistake("A PSF to be estimated, of another command", "check hsi.tif msi.tif --psf estimated", "Leave it out."),
        Mistake("Steps of a method that takes none", f"{FUSE} -m bicubic --steps 5", "Leave `--steps` out."),
        Mistake(
            "A PSF of odd size for an even factor",
            f"{FUSE} --psf k.csv",
            "Give it as many rows as the factor, or two, four, ... more.",
            kernel(np.ones((3, 3))),
        ),
        Mistake("A PSF that is not square", f"{FUSE} --psf k.csv", "Pad it with zeros.", kernel(np.ones((4, 6)))),
        Mistake("A PSF with NaN", f"{FUSE} --psf k.csv", "Replace NaN by numbers.", kernel(np.full((4, 4), np.nan))),
        Mistake(
            "A PSF that sums to nothing",
            f"{FUSE} --psf k.csv",
            "Give the weights of the fine pixels; they are divided by their sum.",
            kernel(np.zeros((4, 4))),
        ),
        Mistake(
            "A PSF with negative parts",
            f"{FUSE} --psf k.csv",
            "Give weights whose sum is above 0.",
            kernel(-np.ones((4, 4))),
        ),
        Mistake(
            "A pickle given as PSF",
            f"{FUSE} --psf k.npy",
            "Save it with `numpy.save` as an array of numbers.",
            lambda: np.save("k.npy", np.array([{}], dtype=object)),
        ),
    ),
    "Outputs": (
        Mistake("The output is the input", "fuse hsi.tif msi.tif -o hsi.tif", "Choose another name."),
        Mistake("The folder of the output is missing", "fuse hsi.tif msi.tif -o no/such/fused.tif", "Create it."),
        Mistake(
            "The folder of the output may not be written",
            "fuse hsi.tif msi.tif -o locked/fused.tif",
            "Choose another.",
            broken=locked,
        ),
        Mistake("The ending names no format", "fuse hsi.tif msi.tif -o fused.docx", "Take `.tif`."),
        Mistake(
            "The output is a folder",
            "fuse hsi.tif msi.tif -o folder.tif",
            "Choose another name; no folder is replaced but a Zarr store or CAVE folder.",
            lambda: Path("folder.tif").mkdir(),
        ),
        Mistake(
            "A standard deviation of a method that gives none", f"{FUSE} -m regression --std std.tif", "Take kriging."
        ),
        Mistake("Two outputs of one name", f"{FUSE} -m kriging --sensor {SENSOR} --std fused.tif", "Choose two names."),
        Mistake(
            "Both images of a simulated pair in one file",
            f"simulate truth.tif --factor 4 --sensor {SENSOR} --out-hsi pair.tif --out-msi pair.tif",
            "Choose two names.",
        ),
        Mistake(
            "Whole numbers in a format that keeps no scale",
            "fuse hsi.tif msi.tif -o fused.npy --dtype int16",
            "Take `.tif`.",
        ),
        Mistake("A report of a comparison that is not made", f"{FUSE} -m bicubic --report why.json", "Leave out `-m`."),
    ),
    "Methods and weights": (
        Mistake("A method that does not exist", f"{FUSE} -m hsrdif", "Take the suggested name."),
        Mistake("Weights that are not there", f"{FUSE} --weights w.safetensors", "Check their path."),
        Mistake(
            "Weights for other bands",
            f"{FUSE} -m hsr-diff --weights others.safetensors",
            "Train some, let the bands be interpolated, or use residual mode.",
        ),
        Mistake("Half a file of weights", f"{FUSE} --weights half.safetensors", "Get it again.", half_weights),
        Mistake(
            "A pickle given as weights",
            f"{FUSE} --weights w.pt",
            "Save them as safetensors.",
            pickled("w.pt", {"a": 1}),
        ),
        Mistake("An image given as weights", f"{FUSE} --weights truth.tif", "Give a `.safetensors` file."),
        Mistake(
            "Weights for a method that takes none", f"{FUSE} -m bicubic --weights mine.safetensors", "Leave them out."
        ),
        Mistake(
            "An unknown key of a recipe", "train overfit-crop -o run --set training.step=5", "See docs/recipes.md."
        ),
    ),
    "Files": (
        Mistake("A file that is not there", "fuse hsj.tif msi.tif -o fused.tif", "Check its path."),
        Mistake("An empty file", "fuse other.tif msi.tif -o fused.tif", "Get it again.", raw_file("other.tif", b"")),
        Mistake(
            "A text given as an image",
            "fuse other.txt msi.tif -o fused.tif",
            "Give an image.",
            text_file("other.txt", "not an image\n"),
        ),
        Mistake("Half an HDF5 file", "fuse other.nc msi.tif -o fused.tif", "Get it again.", truncated),
        Mistake(
            "An HDF5 file without an image",
            "fuse other.h5 msi.tif -o fused.tif",
            "Give a product or a cube.",
            flat_hdf5,
        ),
        Mistake("A MATLAB file with two cubes", "fuse other.mat msi.tif -o fused.tif", "Save one.", two_variables),
        Mistake(
            "ENVI data without their header",
            "fuse other.img msi.tif -o fused.tif",
            "Put it beside.",
            raw_file("other.img", bytes(512)),
        ),
        Mistake(
            "An ENVI header without its data",
            "fuse other.hdr msi.tif -o fused.tif",
            "Put them beside.",
            lambda: (header()(), Path("other.img").unlink()),
        ),
        Mistake(
            "A satellite image without its XML",
            "fuse ENMAP01-____L2A-DT0000000001_20230101T000000Z_001_V010303_x-SPECTRAL_IMAGE.TIF msi.tif -o fused.tif",
            "Keep the files of a product together.",
            enmap_without_xml,
        ),
        Mistake(
            "A folder that is no image",
            "fuse some msi.tif -o fused.tif",
            "Give the product's folder or its description.",
            lambda: Path("some").mkdir(),
        ),
        Mistake(
            "A pickle given as an image",
            "fuse other.npy msi.tif -o fused.tif",
            "Save plain numbers.",
            lambda: np.save("other.npy", np.array([{}], dtype=object)),
        ),
    ),
    "Other commands": (
        Mistake("Cubes of other sizes are compared", "evaluate hsi.tif truth.tif --factor 4", "Compare a fused cube."),
        Mistake(
            "The coarse image is judged in place of the fused one",
            "quality hsi.tif hsi.tif msi.tif",
            "Give the fused cube first.",
        ),
        Mistake("A data set that does not exist", "benchmark cavee --method bicubic", "Take the suggested name."),
        Mistake(
            "No folder of data sets is named",
            "benchmark cave --method bicubic",
            "Set HSRDIFF_DATA.",
        ),
    ),
}


MENDED = (
    Mended(
        "Infinite values",
        "fuse hsi.tif other.tif -o fused.tif -m regression",
        "valid pixels: 94.1 %",
        msi(values=undeclared(np.inf)),
    ),
    Mended(
        "A hyperspectral band without data",
        "fuse other.tif msi.tif -o fused.tif -m regression",
        "bad bands left out: 2",
        one_band("other.tif", np.nan, (BANDS, 4, 4)),
    ),
    Mended(
        "Reflectance as whole numbers in one of the images",
        "fuse hsi.tif other.tif -o fused.tif -m regression",
        "units: multispectral values were divided by",
        lambda: write_cube(open_cube("msi.tif") * 10000, "other.tif"),
    ),
    Mended(
        "A multispectral band of another calibration, the sensor known",
        f"fuse large-hsi.tif other.tif -o fused.tif -m regression --sensor {SENSOR}",
        "match: 1 of 4 multispectral bands were brought to what the sensor's responses make of the HSI, by the gains "
        "1, 1, 1, 1.5",
        changed_bands,
    ),
    Mended(
        "A factor that does not divide the image",
        f"{SIMULATE} --factor 5",
        "Left out, as they fill no coarse pixel: 1 row at the bottom and 1 column at the right.",
    ),
)
