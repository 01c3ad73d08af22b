"""Mistakes in files, in other commands, and what is put right without asking."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from affine import Affine

from hsrdiff.cubes import open_cube, write_cube
from mistake import FUSE, SIMULATE, Mended, Mistake
from mistaken_files import (
    BANDS,
    PLACE,
    SENSOR,
    SIDE,
    WAVELENGTHS,
    changed_bands,
    enmap_without_xml,
    flat_hdf5,
    folder_of_text,
    header,
    hsi,
    kernel,
    msi,
    no_memory,
    one_band,
    raw_file,
    stack_of_pages,
    text_file,
    truncated,
    two_variables,
    undeclared,
    zipped,
)

COMMANDS: dict[str, tuple[Mistake, ...]] = {
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
        Mistake(
            "A TIFF whose bands are pages",
            "fuse other.tif msi.tif -o fused.tif",
            "Put them together, in Python with `as_cube(tifffile.imread(path))`.",
            stack_of_pages,
        ),
        Mistake("An image larger than the memory", FUSE, "Cut a smaller part.", broken=no_memory),
        Mistake("A MATLAB file with two cubes", "fuse other.mat msi.tif -o fused.tif", "Save one.", two_variables),
        Mistake(
            "A part of a file that has no parts is asked for",
            f"{FUSE} --msi-variable 20m",
            "Leave it out, or give the product itself.",
        ),
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
            folder_of_text("some"),
        ),
        Mistake(
            "An empty folder",
            "fuse some msi.tif -o fused.tif",
            "Check the path.",
            lambda: Path("some").mkdir(),
        ),
        Mistake(
            "A product as it was downloaded",
            "info S2A_MSIL2A_T33UUP.zip",
            "Unpack it: products are read as folders.",
            zipped("S2A_MSIL2A_T33UUP.zip", "S2A_MSIL2A_T33UUP.SAFE/MTD_MSIL2A.xml"),
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
            "A cube is compared with the truth of another place",
            "evaluate other.tif truth.tif --factor 4",
            "Take the truth of the same scene.",
            hsi(
                size=(SIDE, SIDE),
                wavelengths_nm=WAVELENGTHS,
                crs="EPSG:32633",
                transform=PLACE @ Affine.translation(100, 0),
            ),
        ),
        Mistake(
            "The coarse image is judged in place of the fused one",
            "quality hsi.tif hsi.tif msi.tif",
            "Give the fused cube first.",
        ),
        Mistake("A seed where nothing is drawn", "quality truth.tif hsi.tif msi.tif --seed 3", "Add `--reduced`."),
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
        "A PSF whose weights do not sum to 1",
        f"{FUSE} -m regression --psf k.csv",
        "psf: given kernel (its weights, whose sum was 16, divided by that), 4 x 4 px",
        kernel(np.ones((4, 4))),
    ),
    Mended(
        "A factor that does not divide the image",
        f"{SIMULATE} --factor 5",
        "Left out, as they fill no coarse pixel: 1 row at the bottom and 1 column at the right.",
    ),
)
