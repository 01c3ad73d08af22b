"""Tables 2 and 3 of the paper: other networks in the denoiser's place, and training on patches of one size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean, stdev

from hsrdiff.datasets import make_dataset
from hsrdiff.evaluation import PublishedRow, Row, mean_row
from hsrdiff.evaluation.published import TABLE_2, TABLE_3
from hsrdiff.experiments.base import Labels, Rows, Trial, markdown_table
from hsrdiff.experiments.protocols import PROTOCOLS, Entry
from hsrdiff.experiments.table1 import entry_trials
from hsrdiff.experiments.table_lines import MINUTES_TITLE, TableLine, mean_minutes, minutes_cell, published_cell
from hsrdiff.experiments.workshop import Workshop
from hsrdiff.typing import PathLike

SEEDS = 3
SEED_TITLES = ("variant", "PSNR dB", "SSIM", "SAM °", "ERGAS", "seeds")
# 100 steps of a network on whole images take minutes a scene; entries of the same schedule, P2
_SAMPLING = {"steps": 25, "precision": "bfloat16"}


def _networks(suffix: str) -> tuple[Entry, ...]:
    """Return the lines of Table 2 for a data set whose recipes end in a suffix."""
    return (
        Entry("U-Net as in SR3", "hsr-diff", f"unet-{suffix}", _SAMPLING),
        Entry("CD-CNN", "hsr-diff", f"cd-cnn-{suffix}", _SAMPLING, "CD-CNN"),
        Entry("C-w/o-SR", "hsr-diff", f"cdformer-without-sr-{suffix}", _SAMPLING, "C-w/o-SR"),
        Entry("CDFormer", "hsr-diff", f"cdformer-{suffix}", _SAMPLING, "CDFormer"),
        Entry("Regression", "regression-cdformer", f"regression-cdformer-{suffix}", {}, "Regression"),
    )


def _stages(suffix: str) -> tuple[Entry, ...]:
    """Return the lines of Table 3, likewise."""
    return (
        Entry("CDFormer, patches of one size", "hsr-diff", f"cdformer-fixed-{suffix}", _SAMPLING, "Fixed"),
        Entry("CDFormer", "hsr-diff", f"cdformer-{suffix}", _SAMPLING, "Progressive"),  # as in Table 2, computed once
    )


_SUFFIXES = {"cave": "cave-x32", "paviau": "paviau-x4", "chikusei": "chikusei-x4"}
NETWORKS = {dataset: _networks(suffix) for dataset, suffix in _SUFFIXES.items()}
STAGES = {dataset: _stages(suffix) for dataset, suffix in _SUFFIXES.items()}


class AblationTable:
    """Every variant on the test scenes, each trained from several seeds on an equal budget.

    Args:
        number: Of the table in the paper.
        variants: Data set -> lines.
        published: Data set -> the paper's lines.
        what: What varies, in words.
    """

    takes = frozenset({"dataset", "budget"})

    def __init__(
        self,
        number: int,
        variants: Mapping[str, tuple[Entry, ...]],
        published: Mapping[str, tuple[PublishedRow, ...]],
        what: str,
    ) -> None:
        self.name = f"table{number}"
        self.summary = f"Table {number} of the paper: {what}, {SEEDS} seeds on an equal budget"
        self.variants, self.published = variants, published

    def trained_trials(self, data: PathLike | None, seed: int, workshop: Workshop) -> Iterator[Trial]:
        """Yield every variant and seed on every test scene, one seed after the other."""
        entries = workshop.choose(self.variants)
        name = workshop.dataset or next(iter(self.variants))
        dataset = make_dataset(name, data=data)
        dataset.load(dataset.scenes("test")[0])  # what is missing is said before hours of training
        digests: dict[Labels, str] = {}
        for own in range(seed, seed + SEEDS):
            for entry in entries:
                labels = (name, f"seed {own}")
                for trial in entry_trials(entry, labels, dataset, "test", own, seed, workshop, digests):
                    yield replace(trial, kept_as="ablations")

    def lines(self, rows: Rows) -> list[TableLine]:
        """Return means over scenes and seeds, and the paper's lines."""
        lines = []
        for name in dict.fromkeys(labels[0] for labels in rows):
            published = {row.method: row for row in self.published.get(name, ())}
            for entry in self.variants[name]:
                of_seed = seed_means(rows, name, entry.title)
                if of_seed:
                    psnr = [row.psnr_db for row in of_seed]
                    spread = stdev(psnr) if len(psnr) > 1 else None
                    paper = published.get(entry.published)
                    psf = PROTOCOLS[name].psf
                    mean, minutes = mean_row(of_seed), mean_minutes(of_seed)
                    lines.append(TableLine(name, psf, entry.title, mean, paper, len(of_seed), spread, minutes))
        return lines

    def report(self, rows: Rows) -> str:
        """Return means over scenes and seeds, their spread over seeds, and the paper's lines."""
        parts, lines = [], self.lines(rows)
        for name in dict.fromkeys(line.dataset for line in lines):
            cells = [
                [
                    *seed_cells(line.title, seed_means(rows, name, line.title)),
                    minutes_cell(line),
                    published_cell(line.published),
                    line.mean.told,
                ]
                for line in lines
                if line.dataset == name
            ]
            table = markdown_table([*SEED_TITLES, MINUTES_TITLE, "the paper's", "told"], cells)
            parts.append(f"{name}, mean of the test scenes. PSF: {PROTOCOLS[name].psf}.\n\n{table}")
        return "\n".join(parts)


def seed_means(rows: Rows, dataset: str, title: str) -> list[Row]:
    """Return the mean over scenes of a line, for each seed that it was trained from.

    Args:
        rows: Rows whose labels are data set, seed, scene and line.
        dataset: Which data set.
        title: Which line.

    Returns:
        One row a seed.
    """
    seeds = dict.fromkeys(labels[1] for labels in rows if (labels[0], labels[3]) == (dataset, title))
    return [
        mean_row([row for labels, row in rows.items() if labels[:2] == (dataset, seed) and labels[3] == title])
        for seed in seeds
    ]


def seed_cells(title: str, of_seed: Sequence[Row]) -> list[str]:
    """Return the cells of a line: means over seeds, and the spread of PSNR over them.

    Args:
        title: What the line is called.
        of_seed: From `seed_means`.

    Returns:
        Cells under `SEED_TITLES`.
    """
    psnr = [row.psnr_db for row in of_seed]
    spread = f" ± {stdev(psnr):.2f}" if len(psnr) > 1 else ""
    return [
        title,
        f"{fmean(psnr):.2f}{spread}",
        f"{fmean(row.ssim for row in of_seed):.4f}",
        f"{fmean(row.sam_deg for row in of_seed):.2f}",
        f"{fmean(row.ergas for row in of_seed):.3f}",
        str(len(of_seed)),
    ]


TABLES = (
    AblationTable(2, NETWORKS, TABLE_2, "other networks in the denoiser's place"),
    AblationTable(3, STAGES, TABLE_3, "patches that grow from 64 to 128 pixels against patches of 64"),
)
