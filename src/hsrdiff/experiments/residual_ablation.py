"""From the paper's method to residual mode, part by part: every line is the one above it and one part more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean

from hsrdiff.datasets import make_dataset
from hsrdiff.experiments.ablations import SEED_TITLES, SEEDS, seed_cells, seed_means
from hsrdiff.experiments.base import Labels, Rows, Trial, markdown_table
from hsrdiff.experiments.cave_x32 import BASE, OURS
from hsrdiff.experiments.protocols import Entry
from hsrdiff.experiments.table1 import entry_trials
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.typing import PathLike

_DATASET, _SPLIT = "cave", "validation"  # trained on the split "fit", so that no test scene is looked at
_SAMPLING = {"steps": 25, "precision": "bfloat16"}


def _line(title: str, recipe: str) -> Entry:
    return Entry(title, OURS, recipe, _SAMPLING, minutes=15.0)


LINES: tuple[Entry, ...] = (
    Entry("literal: paper mode, preset small, 25 steps", "hsr-diff", "cdformer-cave-x32-16", _SAMPLING),
    # one part of its own: without it the gain of the first base would be that of network and training too
    _line("+ network and training of residual mode", "cave-x32-without-base"),
    _line("+ linear base", "cave-x32-without-kriging"),
    _line("+ kriging base", "cave-x32-without-residual"),
    _line("+ residual", "cave-x32-without-subspace"),
    _line("+ subspace", "cave-x32-without-projection"),
    _line("+ projection", "cave-x32-without-embedding"),
    Entry("+ embedding", OURS, "cave-x32-residual-16", _SAMPLING, minutes=20.0),
    Entry("+ few steps: one", OURS, "cave-x32-residual-16", {"precision": "bfloat16"}, minutes=20.0),
)
# what the two bases are without any network
BASES: tuple[Entry, ...] = (
    Entry("the linear base alone", "regression-projected"),
    Entry("the kriging base alone", BASE, options={"std": False}),
)


class ResidualAblation:
    """Every line on the validation scenes, each trained from several seeds on an equal budget.

    Args:
        entries: What is trained, from the paper's method to residual mode.
        bases: What needs no training.
        seeds: How many.
    """

    name = "residual-ablation"
    summary = f"From the paper's method to residual mode part by part: CAVE at x32, {SEEDS} seeds on an equal budget"
    takes = frozenset({"budget"})

    def __init__(self, entries: Sequence[Entry] = LINES, bases: Sequence[Entry] = BASES, seeds: int = SEEDS) -> None:
        self.entries, self.bases, self.seeds = tuple(entries), tuple(bases), seeds

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every line and seed on every validation scene, one seed after the other, and the bases once."""
        dataset = make_dataset(_DATASET, data=data)
        workshop = replace(workshop, share_pairs=True)
        digests: dict[Labels, str] = {}
        for own in range(seed, seed + self.seeds):
            for entry in (*self.entries, *(self.bases if own == seed else ())):
                yield from entry_trials(entry, (_DATASET, f"seed {own}"), dataset, _SPLIT, own, seed, workshop, digests)

    def report(self, rows: Rows) -> str:
        """Return means over scenes and seeds, the spread over seeds, and what each part gains."""
        lines = []
        before: float | None = None
        for entry in self.entries:
            of_seed = seed_means(rows, _DATASET, entry.title)
            if of_seed:
                psnr_db = fmean(row.psnr_db for row in of_seed)
                gain = "" if before is None else f"{psnr_db - before:+.2f}"
                lines.append([*seed_cells(entry.title, of_seed), gain])
                before = psnr_db
        for entry in self.bases:
            of_seed = seed_means(rows, _DATASET, entry.title)
            if of_seed:
                lines.append([*seed_cells(entry.title, of_seed), ""])
        return markdown_table([*SEED_TITLES, "against the line above, dB"], lines)
