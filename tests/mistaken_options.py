"""Mistakes in what is told: sensors, numbers, the PSF, outputs, methods and weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mistake import FUSE, SIMULATE, Mistake
from mistaken_files import SENSOR, half_weights, hsi, kernel, large, locked, pickled, text_file

SRF = "wavelength_nm,a,b,c,d\n"
OPTIONS: dict[str, tuple[Mistake, ...]] = {
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
    "Numbers and the PSF": (
        Mistake("A peak of 0", f"{FUSE} --peak 0", "Leave `--peak` out."),
        Mistake("A peak that is no number", f"{FUSE} --peak nan", "Leave `--peak` out."),
        Mistake("A negative noise", f"{FUSE} --noise-hsi -1", "Leave it out to have it estimated."),
        Mistake("A noise for a method that takes none", f"{FUSE} -m bicubic --noise-hsi 0.1", "Leave it out."),
        Mistake(
            "A kernel and a width of a Gaussian",
            f"{FUSE} --psf k.csv --psf-fwhm 3",
            "Leave one of the two out.",
            kernel(np.ones((4, 4))),
        ),
        Mistake(
            "A shift to be mended that is not measured",
            f"{FUSE} --force --no-register",
            "Leave one of the two out.",
        ),
        Mistake("A PSF of no width", f"{FUSE} --psf-fwhm 0", "Give the width in coarse pixels, about 1."),
        Mistake("A factor of 1", f"{SIMULATE} --factor 1", "Give the ratio of the pixel sizes."),
        Mistake("A factor larger than the image", f"{SIMULATE} --factor 20", "Take a larger image."),
        Mistake("No sampling steps", f"{FUSE} -m hsr-diff --weights mine.safetensors --steps 0", "Give at least 1."),
        Mistake("A PSF file that is not there", f"{FUSE} --psf k.csv", "Check its path."),
        Mistake("A PSF to be estimated, of another command", "check hsi.tif msi.tif --psf estimated", "Leave it out."),
        Mistake("Steps of a method that takes none", f"{FUSE} -m bicubic --steps 5", "Leave `--steps` out."),
        Mistake("A method without a network to adapt", f"{FUSE} -m kriging --adapt 5", "Leave `--adapt` or `-m` out."),
        Mistake("Blocks of a scene to adapt to", f"{FUSE} --adapt 5 --block 1024", "Leave one of the two out."),
        Mistake("Blocks of no size", f"{FUSE} --block -5", "Give fine pixels, 1024 for instance, or 0 for the whole."),
        Mistake("No time to adapt in", f"{FUSE} --adapt 0", "Give the seconds it may take, 30 for instance."),
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
        Mistake(
            "The output is a file that an option names",
            "fuse hsi.tif msi.tif -o k.npy --psf k.npy",
            "Choose another name.",
            lambda: np.save("k.npy", np.ones((4, 4))),
        ),
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
            "The output would share the ENVI header of an input",
            "fuse scene.bsq msi.tif -o scene.img",
            "Choose another name: all data files `scene` have the header `scene.hdr`.",
            hsi("scene.bsq"),
        ),
        Mistake(
            "Two ENVI outputs of one stem",
            f"fuse hsi.tif msi.tif -o f.bsq -m kriging --sensor {SENSOR} --std f.bil",
            "Choose two names.",
        ),
        Mistake(
            "A file for which the header of an ENVI output would be taken",
            "fuse hsi.tif msi.tif -o fused.hdr",
            "Choose another name, or move that file away.",
            text_file("fused", "notes\n"),
        ),
        Mistake(
            "Whole numbers in a format that keeps no scale",
            "fuse hsi.tif msi.tif -o fused.npy --dtype int16",
            "Take `.tif`.",
        ),
        Mistake("A format that cannot hold the result", "fuse hsi.tif msi.tif -o fused_ms", "Take `.tif`."),
        Mistake("A folder as the report", f"{FUSE} --json .", "Give the name of a file."),
        Mistake("A scale for numbers that have none", f"{FUSE} --dtype-scale 1e-4", "Add `--dtype uint16`."),
    ),
    "Methods and weights": (
        Mistake("A method that does not exist", f"{FUSE} -m hsrdif", "Take the suggested name."),
        Mistake(
            "An option that the method does not have",
            f"{FUSE} -m hsr-diff-residual --set view=8",
            "Take the suggested name.",
        ),
        Mistake("Options of a method that is chosen later", f"{FUSE} --set views=8", "Name the method."),
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
}
