"""When `fuse` takes a scene block by block, and how."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from hsrdiff.errors import InputError
from hsrdiff.fusers import Fuser, Fusion
from hsrdiff.fusers.blocks import LEAST_CORE, Blocks, fuse_blocks
from hsrdiff.fusers.non_negative import cut_negative
from hsrdiff.jobs.canvas import Canvas
from hsrdiff.jobs.pair import Pair
from hsrdiff.observation import Scene
from hsrdiff.rng import generator
from hsrdiff.typing import PathLike

# of a float32 result, from which it is made in blocks unasked: as a whole it takes about 20 times that
LARGE_BYTES = 2**28
_NOTE = "non_negative"
_ONE = f"the scene is one block, as a block has at least {LEAST_CORE} coarse pixels a side and its surroundings"


def check_block(side: float | None) -> int | None:
    """Make sure, before any work, that a size of blocks can be one.

    Args:
        side: Fine pixels along a block; 0 for none, None for what fits.

    Returns:
        The size.

    Raises:
        InputError: It is no whole number of at least 0.
    """
    if side is None:
        return None
    if not (float(side).is_integer() and side >= 0):
        raise InputError(
            f"blocks of {side} pixels", expected="a whole number of fine pixels, or 0 for none", do="change --block"
        )
    return int(side)


def takes_blocks(pair: Pair, side: int | None, adapt: float | None) -> bool:
    """Tell whether a pair is fused in blocks: where that is asked for, or its result is large.

    Args:
        pair: The two images.
        side: Fine pixels along a block; 0 for never, None for where the result is large.
        adapt: Seconds for which residual mode is to be trained on the pair, or None.

    Returns:
        Whether it is.

    Raises:
        InputError: The method is to be trained on the pair as well.
    """
    size = 4 * math.prod(result_shape(pair))
    if side == 0 or (side is None and size < LARGE_BYTES):
        return False
    if adapt is not None:
        why = "" if side is not None else f", as its result takes {size / 2**20:.0f} MiB"
        raise InputError(
            f"the scene is fused in blocks{why}, and residual mode is to be trained on it as a whole",
            expected="one of the two",
            do="leave out --adapt, or have no blocks with --block 0",
        )
    return True


def result_shape(pair: Pair) -> tuple[int, int, int]:
    """Return (B, H, W) of what a pair is fused into.

    Args:
        pair: The two images.
    """
    return pair.hsi.sizes["band"], pair.msi.sizes["y"], pair.msi.sizes["x"]


def fuse_scene(
    fuser: Fuser,
    scene: Scene,
    *,
    in_blocks: bool,
    side: int | None,
    seed: int,
    non_negative: bool,
    beside: PathLike | None,
    progress: Callable[[int, int], None] | None,
) -> Fusion:
    """Run a method on a scene, as a whole or in blocks.

    Args:
        fuser: The method.
        scene: The scene in units of the peak.
        in_blocks: Whether to cut it.
        side: Fine pixels along a block; by the number of bands when None.
        seed: Of what the method draws.
        non_negative: Whether to cut values below 0.
        beside: Output in whose folder a large result is put together.
        progress: Called with the blocks done and the blocks in all.

    Returns:
        The fusion; with a note on the blocks, if the scene was cut.

    Raises:
        HsrdiffError: Whatever the method says.
        WriteError: There is no room to put the result together.
    """
    draws = generator(seed, "fuse", fuser.name)
    blocks = Blocks.of(scene, side) if in_blocks else None
    if blocks is None or len(blocks) == 1:
        fusion = fuser.fuse(scene, generator=draws)
        if in_blocks and progress is not None:
            progress(1, 1)
        fusion = cut_negative(fusion, scene) if non_negative else fusion
        return replace(fusion, notes=fusion.notes | {"blocks": _ONE}) if in_blocks else fusion
    cut = _Cut() if non_negative else None
    fusion = fuse_blocks(fuser, scene, blocks, generator=draws, canvas=Canvas(beside), finish=cut, on_block=progress)
    notes = fusion.notes | {"blocks": blocks.describe()}
    return replace(fusion, notes=notes if cut is None else notes | {_NOTE: cut.describe()})


class _Cut:
    """Cuts what is below 0 in block after block, and says of all of them what `cut_negative` says of one."""

    def __init__(self) -> None:
        self.below = self.finite = 0

    def __call__(self, fusion: Fusion, scene: Scene) -> Fusion:
        """Cut one block."""
        self.below += int((fusion.Z_hat < 0).sum())
        self.finite += int(torch.isfinite(fusion.Z_hat).sum())
        cut = cut_negative(fusion, scene)
        return replace(cut, notes={topic: text for topic, text in cut.notes.items() if topic != _NOTE})

    def describe(self) -> str:
        """Return what was cut in words."""
        if not self.below:
            return "no value was below 0"
        share = 100 * self.below / self.finite
        return f"{share:.2g} % of the values of all blocks were below 0 and were cut, block by block"
