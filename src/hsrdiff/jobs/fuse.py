"""`fuse`: two images in, one georeferenced cube with many bands and fine pixels out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from hsrdiff.choice import AUTO
from hsrdiff.choice.adapted import AdaptedResidual
from hsrdiff.errors import InputError, did_you_mean
from hsrdiff.fusers import FUSERS, HsrDiff, HsrDiffResidual, Needs
from hsrdiff.fusers.band_transfer import BandTransfer
from hsrdiff.fusers.learned import OnePass
from hsrdiff.jobs.canvas import check_room
from hsrdiff.jobs.chosen import adapting, check_adapt, choose_method, method_of_weights, usable_sensor
from hsrdiff.jobs.doubts import blank_notes, disagreement_note
from hsrdiff.jobs.fusion_record import finished_cube, fusion_record
from hsrdiff.jobs.fusion_report import fusion_report
from hsrdiff.jobs.images import Image, take_cube
from hsrdiff.jobs.in_blocks import check_block, fuse_scene, result_shape, takes_blocks
from hsrdiff.jobs.matched import check_order, find_match
from hsrdiff.jobs.named_file import NamedFile
from hsrdiff.jobs.output_files import check_report_file
from hsrdiff.jobs.outputs import Outputs
from hsrdiff.jobs.pair import make_pair
from hsrdiff.jobs.prepared import check_options, made_with, no_weights, prepare_fuser
from hsrdiff.jobs.registered import check_force, registered
from hsrdiff.jobs.scaling import find_scale, raw_scene
from hsrdiff.jobs.told import (
    check_noise,
    judging_observation,
    own_sensor,
    told_noise,
    told_observation,
    told_response,
    told_sensor,
)
from hsrdiff.jobs.told_psf import is_estimated, psf_path, told_psf
from hsrdiff.jobs.writable import named_files
from hsrdiff.memory import give_large_back
from hsrdiff.observation import Observation
from hsrdiff.observation.scene_part import estimated_on, estimated_part
from hsrdiff.sensors import Sensor
from hsrdiff.threads import use_threads
from hsrdiff.typing import PathLike


def fuse(
    hsi: Image,
    msi: Image,
    *,
    method: str = AUTO,
    sensor: str | Sensor | None = None,
    srf: PathLike | None = None,
    bands: Sequence[str] | None = None,
    psf: PathLike | npt.ArrayLike | None = None,
    psf_fwhm: float | None = None,
    factor: int | None = None,
    hsi_variable: str | None = None,
    msi_variable: str | None = None,
    weights: PathLike | None = None,
    steps: int | None = None,
    options: Mapping[str, object] | None = None,
    adapt: float | None = None,
    interpolate_bands: bool = False,
    seed: int = 0,
    peak: float | None = None,
    noise_hsi: float | None = None,
    noise_msi: float | None = None,
    out: PathLike | None = None,
    std_out: PathLike | None = None,
    dtype: str = "float32",
    dtype_scale: float | None = None,
    non_negative: bool = False,
    block: int | None = None,
    json_out: PathLike | None = None,
    register: bool = True,
    match: bool = True,
    force: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.DataArray:
    """Fuse a hyperspectral and a multispectral image of one place.

    Bands that the HSI marks as bad or that have no valid pixel are left out of the result. A pixel that is invalid
    in either image is NaN in the result. Images with a place on the map are cut to what they have in common, and the
    MSI is resampled where its grid does not divide that of the HSI (`hsrdiff.jobs.grids`). A shift between the two is
    measured and, where it is reliable and the same everywhere, mended; where it changes evenly over the image, as by a
    rotation, the MSI is resampled once to where the HSI lies. With a known sensor, multispectral bands whose
    calibration or unit is not that of the HSI are matched to it (`hsrdiff.jobs.matched`).

    Args:
        hsi: LR-HSI (band, y, x): a path, a DataArray or an array; NaN or nodata where invalid.
        msi: HR-MSI (band, y, x), likewise; of the same extent where one of the two has no place on the map.
        method: A name in `hsrdiff.fusers.FUSERS`, or ``"auto"``: the methods that need no training on such images are
            compared on the pair itself, degraded once more, and the best is used, or of those too close to tell the
            first (`hsrdiff.choice`). With `weights` the method that they are for is one of them, with `steps` alone
            hsr-diff-residual takes so many.
        sensor: The MSI's sensor, such as ``"sentinel2:B2,B3,B4,B8"``; where none is named, what the MSI says of its
            own bands is used by methods that must know R and by ``"auto"``, which else fits R to the pair.
        srf: CSV table of the MSI's measured responses, in place of `sensor`.
        bands: The MSI's bands by the sensor's names, in the image's order.
        psf: None or ``"gaussian"``, ``"estimated"`` to find it from the pair, the path of a kernel (.npy, .csv), or a
            kernel (K, K) in fine pixels.
        psf_fwhm: Full width at half maximum of the Gaussian in coarse pixels; 1 when None.
        factor: Ratio of the pixel sizes; deduced when None.
        hsi_variable: What to read of the HSI's file, such as ``"unmasked"``, as `hsrdiff.open_cube` takes it.
        msi_variable: Likewise of the MSI's, such as ``"10m+20m"`` of a Sentinel-2 product.
        weights: Weights of a learned method: a path or a shipped name; shipped ones that fit when None.
        steps: Sampling steps of a method that samples; its own default when None.
        options: Other options of the method that is named, as `hsrdiff.fusers.make_fuser` takes them, such as
            ``{"samples": 8}`` of hsr-diff-residual.
        adapt: Seconds for which residual mode is first trained on the pair, degraded once more, as long as a held-out
            part gains; with ``"auto"`` it is compared beside the untrained one.
        interpolate_bands: Use weights that were trained on other bands: the HSI is interpolated to these along the
            wavelength, and what the method adds to it back (`hsrdiff.fusers.band_transfer`).
        seed: Seed of a method that draws random numbers.
        peak: Value of the HSI that means 1; found from the data when None.
        noise_hsi: Standard deviation of the HSI's noise in its unit, at least 0; estimated when None.
        noise_msi: Standard deviation of the MSI's noise in its unit, likewise; both 0 trust both images exactly.
        out: Where to write the result; the ending names the format.
        std_out: Where to write its standard deviation, float32 in the HSI's unit, of methods that give one.
        dtype: Number type of the result's file: ``"float32"``, ``"int16"`` or ``"uint16"`` with one scale.
        dtype_scale: What one step of an integer means in the HSI's unit, such as 1e-4, the same for many scenes; what
            loses least when None.
        non_negative: Cut values below 0; where R and D are known, what they see of the result is kept.
        block: Fine pixels along a side of the blocks that the scene is fused in, so that memory holds the two images
            and one block rather than the result; 0 for the whole at once. When None, a result of 256 MiB or more is
            made in blocks.
        json_out: Where to write as JSON what was done, and the comparison of methods where there was one.
        register: Measure and mend a shift between the two images; when False they are fused as they lie.
        match: With a known sensor, bring each MSI band to what its response makes of the HSI by a gain and an offset,
            where the pair fixes them and they matter; when False they are taken as they are.
        force: Mend also a shift of more than two coarse pixels, which is refused otherwise.
        threads: Processor threads; None leaves torch's choice.
        progress: Called with the steps done and the steps in all, or the blocks.

    Returns:
        A float32 cube (B, H, W) in the HSI's unit, with its wavelengths, on the MSI's grid with its CRS and transform
        (cut or resampled as said above), its values as they are stored; what was done, and how far they are from both
        images, stands in its attributes.

    Raises:
        InputError: The images or the options do not fit together, they lie too far apart, an output is one of the
            files that are read, or `threads` is below 1.
        HsrdiffError: A file, sensor or set of weights cannot be used, or the result cannot be written.
    """
    if method not in (AUTO, *FUSERS):
        raise InputError(f"there is no method '{method}'", do=did_you_mean(method, (AUTO, *FUSERS)))
    use_threads(threads)
    outputs = Outputs(out, std_out, dtype, dtype_scale)
    inputs = hsi, msi, *named_files(psf=psf, srf=srf, sensor=sensor, weights=weights, options=options)
    outputs.check(method, *inputs)
    check_report_file(json_out, *inputs, out, std_out)
    check_adapt(adapt, method)
    check_options(options, method)
    check_force(force, register)
    block = check_block(block)
    cubes = (
        take_cube(hsi, "the hyperspectral image", hsi_variable),
        take_cube(msi, "the multispectral image", msi_variable),
    )
    blank = blank_notes(*cubes)
    pair = make_pair(*cubes, factor)
    outputs.check_held(pair)
    in_blocks = takes_blocks(pair, block, adapt)
    if in_blocks:
        give_large_back()
        check_room(result_shape(pair), np.dtype(dtype).itemsize, out, std_out)
    del cubes
    on_step = None if in_blocks else progress
    automatic, wants_std = method == AUTO, std_out is not None
    # a comparison has a method with weights or steps of one's own only where they are given
    named = method
    if automatic and (weights is not None or steps is not None):
        named = HsrDiffResidual.name if weights is None else method_of_weights(weights)
    fuser = None
    if named != AUTO:
        fuser = prepare_fuser(
            named,
            pair,
            weights=weights,
            steps=steps,
            more=options,
            interpolate=interpolate_bands,
            std=wants_std,
            progress=on_step,
        )
    elif interpolate_bands:
        raise no_weights(AUTO)
    given = fuser
    needs = Needs(psf=True) if automatic or fuser is None else fuser.needs
    check_noise(noise_hsi, noise_msi, method=method, needs=needs)
    spatial = told_psf(None if is_estimated(psf) else psf, psf_fwhm, pair.factor)
    known = told_sensor(sensor, srf, bands, msi=pair.msi)
    if known is None and needs.response:
        known = own_sensor(pair.msi)
    elif known is None and automatic:
        known = usable_sensor(pair)
    spectral = told_response(known, pair.wavelengths_nm, pair.fwhm_nm)
    if spectral is None and (needs.response or isinstance(fuser, BandTransfer)):
        raise InputError(
            f"the method '{method if fuser is None else fuser.name}' must know the multispectral sensor",
            expected="its spectral responses",
            do="name it with --sensor or --srf, or use a method that needs none, such as regression",
        )
    measured: dict[str, str] = {}
    if register:
        pair, measured = registered(pair, spatial, spectral, force=force)
    told, spatial = spatial, spatial.moved(*pair.offset)
    raw = raw_scene(pair)
    if (part := estimated_part(raw, spatial)) is not raw:
        measured["estimates"] = estimated_on(part)
    trained_peak = fuser.card.peak if isinstance(fuser, HsrDiff | OnePass | BandTransfer) else None
    if spectral is not None and known is not None:
        check_order(part, spectral, spatial, known)
    matching = find_match(part, spectral, spatial) if match and spectral is not None else None
    scale = find_scale(raw, spectral, peak=peak, trained_peak=trained_peak, match=matching)
    scene = scale.apply(raw)
    part = scene if part is raw else scale.apply(part)
    del raw
    found: dict[str, str] = {}
    if needs.psf:
        observation, found = told_observation(part, spectral, spatial, psf)
        scene = replace(scene, observation=observation)
    elif spectral is not None:
        scene = replace(scene, observation=Observation(spectral, spatial))
        if is_estimated(psf):
            found = {"psf": "not estimated, as the method uses none: the residuals are by the Gaussian as assumed"}
    levels = None
    if scene.observation is not None and needs.psf:
        levels = told_noise(replace(part, observation=scene.observation), scale, noise_hsi, noise_msi)
        scene = replace(scene, sigma_x=levels.sigma_x, sigma_y=levels.sigma_y)
    model_error = 0.0 if levels is None or noise_msi is not None else levels.model_error
    adapted = adapting(adapt, fuser, response_known=spectral is not None, model_error=model_error, std=wants_std)
    choice = None
    if automatic or fuser is None:  # a fuser is lacking only where the method is chosen
        known_response = spectral is not None
        choice = choose_method(
            scene,
            given=fuser,
            adapted=adapted,
            response_known=known_response,
            model_error=model_error,
            std=wants_std,
            seed=seed,
        )
    if adapted is not None and (choice is None or choice.method == adapted.name):
        fuser = adapted
    elif choice is not None and (fuser is None or choice.method != fuser.name):
        fuser = prepare_fuser(choice.method, pair, std=wants_std, progress=on_step)
    assert fuser is not None  # it is named, adapted or chosen
    fusion = fuse_scene(
        fuser,
        scene,
        in_blocks=in_blocks,
        side=block,
        seed=seed,
        non_negative=non_negative,
        beside=out,
        progress=progress,
    )
    if is_estimated(psf) and scene.observation is not None:
        told = scene.observation.spatial
    record = fusion_record(fuser, fusion, scene, pair, scale, known, told, seed)
    for image, variable in (("hsi", hsi_variable), ("msi", msi_variable)):
        if variable is not None:
            record[f"hsrdiff_{image}_variable"] = variable
    for topic, path, used in (("srf", srf, "hsrdiff_sensor"), ("psf_file", psf_path(psf), "hsrdiff_psf")):
        if path is not None and used in record:
            record.update(NamedFile.given(topic, path).record())
    own = given is (fuser.method if isinstance(fuser, AdaptedResidual) else fuser)
    record.update(made_with(fuser, weights if own else None, steps if own else None, options if own else None))
    record.update({f"hsrdiff_note_{topic}": text for topic, text in (measured | found | blank).items()})
    if choice is not None:
        record.update(choice.record())
    if levels is not None and fuser.needs.psf:
        record["hsrdiff_noise"] = levels.describe(scale.unit_msi, scale.peak)
        record.update(disagreement_note(levels))
    cube = finished_cube(fusion.Z_hat, pair, scale, record, "fused")
    std = None
    if fusion.std is not None:
        std = finished_cube(fusion.std, pair, scale, record | {"hsrdiff_quantity": "standard deviation"}, "std")
    if scene.observation is None:
        scene = replace(scene, observation=judging_observation(part, spatial, psf))
    files = {"hsi": hsi, "msi": msi}, {"out": out, "std": std_out}
    return outputs.write(
        cube,
        std,
        scene,
        scale,
        fitted=spectral is None,
        json_out=json_out,
        report=lambda stored: fusion_report(stored, choice, *files),
    )
