"""Outputs of a fusion, its report among them: checked before the work, judged as stored, and written all or none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import torch
import xarray as xr

from hsrdiff.cubes import as_stored, check_number_type, packed_as, write_cube
from hsrdiff.cubes.atomic import atomic_output
from hsrdiff.cubes.stored import share_outside
from hsrdiff.errors import InputError
from hsrdiff.fusers import FUSERS
from hsrdiff.jobs.images import Image
from hsrdiff.jobs.in_blocks import result_shape
from hsrdiff.jobs.json_report import report_beside
from hsrdiff.jobs.output_files import check_apart, check_output
from hsrdiff.jobs.pair import Pair
from hsrdiff.jobs.scaling import Scale
from hsrdiff.jobs.writable import check_held
from hsrdiff.observation import Scene, residuals
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class Outputs:
    """Where a fusion goes, and in which numbers.

    Args:
        out: The file of the cube, or None.
        std_out: The file of its standard deviation, or None.
        dtype: Number type of the cube's file, one of `hsrdiff.cubes.NUMBER_TYPES`.
        step: What one step of an integer means; what loses least when None.
    """

    out: PathLike | None
    std_out: PathLike | None
    dtype: str
    step: float | None = None

    def check(self, method: str, *inputs: Image) -> None:
        """Make sure, before any work, that all can be made and written.

        Args:
            method: The method; one that is not in `hsrdiff.fusers.FUSERS` is chosen later.
            *inputs: What the job reads.

        Raises:
            InputError: The method gives no standard deviation, an output is an input or the other output, or the
                number type is unknown.
            CubeFormatError: An ending names no format that is written, or one that keeps no scale.
            WriteError: A folder does not exist or is not writable.
        """
        for path in (self.out, self.std_out):
            check_output(path, *inputs)
        check_apart(self.out, self.std_out, holding=("the result", "the standard deviation"))
        check_number_type(self.dtype, self.out, self.step)
        if self.std_out is not None and method in FUSERS and not FUSERS[method].std:
            raise _no_deviation(method)

    def check_held(self, pair: Pair) -> None:
        """Make sure, before any work, that the formats can hold what a pair is fused into.

        Args:
            pair: The two images.

        Raises:
            CubeFormatError: One cannot.
        """
        for path, dtype in ((self.out, self.dtype), (self.std_out, "float32")):
            check_held(
                path,
                result_shape(pair),
                dtype=dtype,
                wavelengths_nm=pair.wavelengths_nm,
                crs=pair.crs,
                transform=pair.transform,
            )

    def write(
        self,
        cube: xr.DataArray,
        std: xr.DataArray | None,
        scene: Scene,
        scale: Scale,
        *,
        fitted: bool,
        json_out: PathLike | None = None,
        report: Callable[[xr.DataArray], str] | None = None,
    ) -> xr.DataArray:
        """Pack the cube, say how far its stored values are from both images, and write all or none.

        Args:
            cube: The fused cube in the HSI's unit, written over by what is stored.
            std: Its standard deviation, likewise, or None.
            scene: The scene in units of the peak, with its observation where it is known.
            scale: How its values were made.
            fitted: Whether its R was fitted to the pair, rather than known.
            json_out: The file of a report, or None.
            report: Makes it of the cube as it is stored.

        Returns:
            The cube with the values and the record that its file has.

        Raises:
            InputError: A standard deviation is to be written and there is none.
            CubeFormatError: A format cannot hold its cube.
            WriteError: The disk is full or the system refused; nothing is left behind.
        """
        if self.std_out is not None and std is None:
            raise _no_deviation(str(cube.attrs.get("hsrdiff_method")))
        packed = packed_as(cube, self.dtype, self.step)
        lost = share_outside(packed)
        stored = as_stored(packed, self.out, in_place=True)  # there may be no memory for another
        stored.encoding = packed.encoding
        if self.dtype != "float32":
            step, offset = (packed.encoding.get(name, default) for name, default in _PLAIN)
            stored.attrs["hsrdiff_packing"] = f"{self.dtype} with scale {step:.6g} and offset {offset:.6g}" + (
                f"; {100 * lost:.2g} % of the values lay outside of what it holds and were clipped" if lost else ""
            )
        if scene.observation is not None:
            of_x, of_y = residuals(
                scene.observation,
                torch.from_numpy(stored.values)[None],
                scene.X,
                scene.Y,
                scene.valid,
                scene.valid_lr,
                unit=scale.peak,
            )
            stored.attrs["hsrdiff_residual_msi"] = of_x.describe(scale.unit_msi) + (
                ", by a response fitted to the pair" if fitted else ""
            )
            stored.attrs["hsrdiff_residual_hsi"] = of_y.describe(scale.peak)
        with ExitStack() as stack:
            if json_out is not None and report is not None:
                stack.enter_context(report_beside(json_out, report(stored)))
            if self.std_out is not None and std is not None:
                # it takes its place only after the cube has been written
                write_cube(std, stack.enter_context(atomic_output(Path(self.std_out))))
            if self.out is not None:
                write_cube(stored, self.out)
        return stored


def _no_deviation(method: str) -> InputError:
    able = ", ".join(name for name, entry in FUSERS.items() if entry.std)
    return InputError(
        f"the method '{method}' gives no standard deviation",
        expected=f"one of {able}",
        do="choose another method, or leave --std out",
    )


_PLAIN = (("scale_factor", 1.0), ("add_offset", 0.0))
