"""Scenes fused block by block: overlapping parts of one size, each fused by itself, faded into each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from hsrdiff.errors import InputError
from hsrdiff.fusers.base import Fuser, Fusion
from hsrdiff.fusers.masking import output_mask
from hsrdiff.fusers.regression import MINIMUM_SHARE
from hsrdiff.fusers.spans import Span, spans
from hsrdiff.observation import Scene
from hsrdiff.rng import generator as make_generator

BLOCK_BYTES = 128 * 2**20  # of the float32 result of one block, by which its size is chosen where none is named
LEAST_CORE = 32  # LR pixels: a block has at least a thousand to learn from
HALO = 8  # LR pixels beyond a block's own part, over which it fades
LEAST_PIXELS = 256  # usable LR pixels that a block grows for, where the masks leave it fewer
_LEAST_MARGIN = 2  # LR pixels at a cut edge that count for nothing, where D reaches no further

Canvas = Callable[[tuple[int, ...]], torch.Tensor]


@dataclass(frozen=True)
class Blocks:
    """How a scene is cut.

    Attributes:
        rows: Windows along y.
        columns: Windows along x.
        factor: HR pixels along an LR pixel.
    """

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    factor: int

    @classmethod
    def of(cls, scene: Scene, side: int | None = None) -> Blocks:
        """Cut a scene; the blocks belong to it and not to the machine.

        Args:
            scene: The scene.
            side: HR pixels along the own part of a block, at most but for one below `LEAST_CORE` LR pixels, which is
                raised to that; by the number of bands when None.

        Returns:
            The blocks.

        Raises:
            InputError: The border of D is circular.
        """
        if side is None:
            side = math.isqrt(BLOCK_BYTES // (4 * scene.bands))
        spatial = None if scene.observation is None else scene.observation.spatial
        if spatial is not None and spatial.border == "circular":
            raise InputError(
                "the border of D joins opposite edges of the image, of which a block has one",
                expected="another border",
                do="fuse the scene as a whole",
            )
        reach = 0 if spatial is None else math.ceil(max(0, spatial.offset) / scene.factor)
        margin = max(_LEAST_MARGIN, reach + 1)
        core = max(LEAST_CORE, side // scene.factor, 2 * (HALO + margin))  # a block fades into its neighbours only
        h, w = scene.Y.shape[-2:]
        rows, columns = (tuple(spans(length, core, HALO, margin)) for length in (h, w))
        return cls(rows, columns, scene.factor)

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[tuple[Span, Span]]:
        return ((rows, columns) for rows in self.rows for columns in self.columns)

    def describe(self) -> str:
        """Return the cut in words."""
        tall, wide = (max(b - a for a, b in (span.own for span in each)) for each in (self.rows, self.columns))
        return (
            f"{len(self.rows)} x {len(self.columns)} blocks of up to {tall * self.factor} x {wide * self.factor} fine "
            f"pixels, which fade into each other over {2 * HALO * self.factor}"
        )


def fuse_blocks(
    fuser: Fuser,
    scene: Scene,
    blocks: Blocks,
    *,
    generator: torch.Generator,
    canvas: Canvas = torch.zeros,
    finish: Callable[[Fusion, Scene], Fusion] | None = None,
    on_block: Callable[[int, int], None] | None = None,
) -> Fusion:
    """Fuse each block by itself and fade the results into each other: beside X and Y, one block is held at a time.

    What the method chooses on a scene, such as a kernel's constants, it chooses on each block. The consistency with
    both images is that of the blocks, but for a trace where two of them fade.

    Args:
        fuser: The method.
        scene: The scene.
        blocks: How to cut it.
        generator: Source of all randomness; what a block draws does not depend on the others.
        canvas: Makes a float32 tensor of zeros of a shape to hold the result, and another for the standard deviation.
        finish: Done to each block with its part of the scene before it takes its place.
        on_block: Called after each block with those done and those in all.

    Returns:
        The estimate and its standard deviation, where the method gives one; notes of one block, marked where those of
        others differ.

    Raises:
        HsrdiffError: Whatever the method says of the scene or of a block.
    """
    scene.check()
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    usable, mask = _usable(scene), output_mask(scene).cpu()
    height, width = scene.X.shape[-2:]
    shape = (1, scene.bands, height, width)
    Z, std = canvas(shape), None
    notes: list[dict[str, str]] = []
    for done, (rows, columns) in enumerate(blocks, start=1):
        place = tuple(slice(span.window[0] * blocks.factor, span.window[1] * blocks.factor) for span in (rows, columns))
        weight = (rows.weights(blocks.factor)[:, None] * columns.weights(blocks.factor)).to(Z)
        if bool((mask[0, 0][place] & (weight > 0)).any()):
            grown = _grown(usable, rows.window, columns.window)
            part = scene.crop_lr(grown[0][0], grown[1][0], grown[0][1] - grown[0][0], grown[1][1] - grown[1][0])
            keyed = make_generator(seed, "block", rows.own[0], columns.own[0], device=generator.device)
            fusion = fuser.fuse(part, generator=keyed)
            fusion = fusion if finish is None else finish(fusion, part)
            notes.append(fusion.notes)
            own = tuple(
                slice((span.window[0] - start) * blocks.factor, (span.window[1] - start) * blocks.factor)
                for span, (start, _) in zip((rows, columns), grown, strict=True)
            )
            Z[0][:, *place] += weight * fusion.Z_hat[0][:, *own].to(Z)
            if fusion.std is not None:
                std = canvas(shape) if std is None else std
                std[0][:, *place] += weight * fusion.std[0][:, *own].to(std)
        if on_block is not None:
            on_block(done, len(blocks))
    for image in (Z, std):
        if image is not None and not bool(mask.all()):
            for band in range(image.shape[1]):  # blocks without a valid pixel left zeros
                image[0, band][~mask[0, 0]] = torch.nan
    return Fusion(Z, std, _merged(notes))


def _usable(scene: Scene) -> torch.Tensor:
    """Mark the LR pixels to learn from, bool (h, w): valid, and mostly on valid pixels of X."""
    usable = torch.ones(scene.Y.shape[-2:], dtype=torch.bool) if scene.valid_lr is None else scene.valid_lr[0, 0].cpu()
    if scene.valid is not None:
        share = F.avg_pool2d(scene.valid.float(), scene.factor)[0, 0].cpu()
        usable = usable & (share >= MINIMUM_SHARE)
    return usable


def _grown(
    usable: torch.Tensor, rows: tuple[int, int], columns: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the window, widened step by step until it has enough usable LR pixels or is the whole image."""
    h, w = usable.shape
    while int(usable[slice(*rows), slice(*columns)].sum()) < LEAST_PIXELS:
        if (rows, columns) == ((0, h), (0, w)):
            break
        rows = max(0, rows[0] - HALO), min(h, rows[1] + HALO)
        columns = max(0, columns[0] - HALO), min(w, columns[1] + HALO)
    return rows, columns


def _merged(notes: Sequence[dict[str, str]]) -> dict[str, str]:
    """Return each note as the first block that has it says it, marked where another says something else."""
    merged: dict[str, str] = {}
    for topic in dict.fromkeys(topic for each in notes for topic in each):
        texts = [each.get(topic, "") for each in notes]
        first = next(text for text in texts if text)
        other = sum(text != first for text in texts)
        merged[topic] = f"{first} (one of {len(texts)} blocks; others differ)" if other else first
    return merged
