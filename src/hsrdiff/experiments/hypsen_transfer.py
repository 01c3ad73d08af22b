"""Section 4.6: the network trained on PaviaU, run on HypSen by interpolating its bands; nobody knows the truth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np
import torch

from hsrdiff.choice import Degraded, degrade
from hsrdiff.datasets import RealPairs, make_pairs
from hsrdiff.errors import InputError, InvalidValueError, WavelengthError
from hsrdiff.evaluation import Row
from hsrdiff.experiments.base import Rows, Trial, markdown_table, scene_digest
from hsrdiff.experiments.protocols import Entry
from hsrdiff.experiments.real_pair import fuse_pair
from hsrdiff.experiments.table1 import trained_fuser
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.fusers import Fuser, HsrDiff, make_fuser
from hsrdiff.fusers.band_transfer import BandTransfer
from hsrdiff.networks import shipped_digest
from hsrdiff.observation import Observation, Scene, SpatialResponse, SpectralResponse, pair_noise
from hsrdiff.sensors import load_sensor
from hsrdiff.typing import PathLike

NETWORK = Entry("HSR-Diff of PaviaU, 25 of 100 steps", "hsr-diff", "cdformer-paviau-x4", {"steps": 25})
OTHERS = ("bicubic", "regression", "regression-projected", "kriging")
_SAME_UNIT = 1.25  # means of R Y and X that differ by less are taken for one unit, as `fuse` does
_FULL = ("HQNR", "D_lambda", "D_s")


class HypSenTransfer:
    """The network and methods without training on a real pair, by what can be said without truth.

    Args:
        pairs: Name of the pair without truth.
        entry: The network; its weights must say where its bands lie.
        others: Methods beside it.
    """

    name = "hypsen-transfer"
    summary = "Section 4.6 of the paper: the network of PaviaU on HypSen by interpolated bands, judged without truth"
    takes = frozenset({"budget"})

    def __init__(self, pairs: str = "hypsen", entry: Entry = NETWORK, others: Sequence[str] = OTHERS) -> None:
        self.pairs, self.entry, self.others = pairs, entry, others

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every method on every pair."""
        pairs = make_pairs(self.pairs, data=data)
        scenes = {pair: cache(partial(real_scene, pairs, pair)) for pair in pairs.pairs()}
        for scene in scenes.values():
            scene()  # what is missing is said before hours of training
        ready = trained_fuser(self.entry, seed, workshop)
        methods: dict[str, Callable[[], Fuser]] = {self.entry.title: partial(_transferred, ready.make)}
        methods |= {name: partial(make_fuser, name) for name in self.others}
        for pair, scene in scenes.items():
            degraded = cache(partial(_degraded, scene))
            for title, build in methods.items():
                made_of = ready.digest if title == self.entry.title else shipped_digest()
                yield Trial(
                    (pair, title),
                    partial(_content, scene, made_of),
                    partial(_judged, pair, title, build, scene, degraded, seed),
                )

    def report(self, rows: Rows) -> str:
        """Return the numbers at full and at reduced resolution."""
        lines = [
            [
                *labels,
                *(f"{float(row.notes[topic]):.4f}" for topic in _FULL),
                f"{100 * float(row.notes['R Z - X']):.2f}",
                f"{100 * float(row.notes['Z D - Y']):.2f}",
                f"{row.psnr_db:.2f}",
                f"{row.sam_deg:.2f}",
                f"{row.ergas:.3f}",
            ]
            for labels, row in rows.items()
        ]
        titles = ["pair", "method", *_FULL, "R Z - X, %", "Z D - Y, %", "PSNR dB", "SAM °", "ERGAS"]
        told = [
            f"{topic}: {row.notes[topic]}"
            for row in rows.values()
            for topic in ("bands", "guide")
            if topic in row.notes
        ]
        return (
            "The last three columns are scores of the method on the pair degraded once more, held against the measured "
            "HSI. Results that agree with both images have HQNR 1 whatever their errors: only the last columns tell "
            f"them apart.\n\n{markdown_table(titles, lines, left=2)}\n" + "".join(f"{text}.\n" for text in told)
        )


def real_scene(pairs: RealPairs, pair: str) -> Scene:
    """Make a scene of a real pair: both images in one unit and about 0..1, R of the sensor, a Gaussian PSF.

    Args:
        pairs: The set.
        pair: A name of it.

    Returns:
        The scene with its observation and estimated noise, without truth.

    Raises:
        DatasetNotFoundError: If its files are not there.
        WavelengthError: If the HSI has no wavelengths.
        InvalidValueError: If an image has no positive value where it is valid.
        InputError: If the images do not fit together.
    """
    hsi, msi = pairs.load_pair(pair)
    if "wavelength" not in hsi.coords:
        raise WavelengthError(
            f"the hyperspectral image of '{pair}' has no wavelengths",
            expected="a band centre in nm for each of its bands",
            do="add them to the file",
        )
    own = np.asarray(hsi["wavelength"].values, dtype=np.float64)
    spectral = SpectralResponse.from_sensor(load_sensor(pairs.sensor), own)
    X, Y = (torch.from_numpy(np.array(cube.values, dtype=np.float32))[None] for cube in (msi, hsi))
    valid, valid_lr = (torch.isfinite(image).all(dim=1, keepdim=True) for image in (X, Y))
    if not (valid.any() and valid_lr.any()):
        raise InvalidValueError(f"an image of '{pair}' has no valid pixel", expected="numbers in some pixels")
    mean_y = Y[0].flatten(1)[:, valid_lr.flatten()].double().mean(dim=1)
    gain = float(X[0].flatten(1)[:, valid.flatten()].double().mean() / (spectral.matrix @ mean_y).mean())
    if not (math.isfinite(gain) and gain > 0):
        raise InvalidValueError(f"the images of '{pair}' have no positive mean", expected="radiance or reflectance")
    gain = 1.0 if 1 / _SAME_UNIT <= gain <= _SAME_UNIT else gain
    # P70: the largest value of the pair becomes 1, as in the training
    peak = max(float(Y[:, :, valid_lr[0, 0]].max()), float(X[:, :, valid[0, 0]].max()) / gain)
    scene = Scene(
        X=X / (gain * peak),
        Y=Y / peak,
        observation=Observation(spectral, SpatialResponse.gaussian(pairs.factor)),
        valid=None if bool(valid.all()) else valid,
        valid_lr=None if bool(valid_lr.all()) else valid_lr,
        wavelengths_nm=own,
        name=pair,
    ).check()
    levels = pair_noise(scene)
    return replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)


def _transferred(make: Callable[[], Fuser]) -> Fuser:
    fuser = make()
    if not isinstance(fuser, HsrDiff):
        raise InputError(f"the method '{fuser.name}' has no bands of its own", expected="weights of hsr-diff")
    return BandTransfer(fuser)


def _content(scene: Callable[[], Scene], made_of: str) -> str:
    return scene_digest(scene()) + made_of


def _degraded(scene: Callable[[], Scene]) -> Degraded:
    found = degrade(scene(), model_error=pair_noise(replace(scene(), sigma_x=0.0, sigma_y=0.0)).model_error)
    if found is None:
        raise InputError("the pair is too small to be degraded once more", expected="a larger pair")
    return found


def _judged(
    pair: str,
    title: str,
    make: Callable[[], Fuser],
    scene: Callable[[], Scene],
    degraded: Callable[[], Degraded],
    seed: int,
) -> Row:
    """Return a row with the scores at reduced resolution, and among its notes what the result itself shows."""
    row, _ = fuse_pair(make, scene(), degraded(), seed)
    return replace(row, method=title, scene=pair)
