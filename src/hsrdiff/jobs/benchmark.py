"""Every method on every scene of a data set, on equal terms: rows that survive an interruption."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from hsrdiff._version import __version__
from hsrdiff.datasets import make_dataset
from hsrdiff.errors import InputError, WriteError, did_you_mean
from hsrdiff.evaluation import (
    PUBLISHED,
    Row,
    dataset_truth,
    evaluate_fuser,
    mean_row,
    simulate_scene,
    to_csv,
    to_markdown,
    truth_digest,
)
from hsrdiff.fusers import FUSERS, make_fuser
from hsrdiff.networks import shipped_weights
from hsrdiff.rng import generator
from hsrdiff.typing import PathLike


@dataclass(frozen=True)
class BenchmarkResult:
    """What a benchmark found.

    Attributes:
        rows: One for each method and scene, in order.
        means: One for each method.
        markdown: Table of the means beside the published rows.
    """

    rows: tuple[Row, ...]
    means: tuple[Row, ...]
    markdown: str


def benchmark(
    dataset: str,
    methods: Sequence[str],
    *,
    split: str = "test",
    scenes: Sequence[str] = (),
    options: Mapping[str, Mapping[str, object]] | None = None,
    data: PathLike | None = None,
    out: PathLike | None = None,
    seed: int = 0,
    threads: int | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> BenchmarkResult:
    """Fuse and score every scene of a split with every method.

    With `out`, each finished row is kept in ``rows.jsonl`` there, and a run started again goes on behind them. A row
    belongs to its scene, by content, its method, options, weights, seed and version.

    Args:
        dataset: A name in `hsrdiff.datasets.DATASETS`.
        methods: Names in `hsrdiff.fusers.FUSERS`.
        split: Which scenes.
        scenes: Only these of the split; empty means all.
        options: Constructor options for each method that has some.
        data: Folder of the data, in place of HSRDIFF_DATA.
        out: Folder for ``rows.jsonl``, ``rows.csv`` and ``table.md``.
        seed: Decides the noise of simulation and sampling.
        threads: Processor threads; None leaves torch's choice.
        on_row: Called with each row as it is there.

    Returns:
        Rows, means, and a table.

    Raises:
        InputError: If a scene, method or option is unknown, or `threads` is below 1.
        DatasetNotFoundError: If the data are missing.
    """
    if not methods:
        raise InputError("no method to run", expected="at least one", do=did_you_mean("", FUSERS))
    if threads is not None:
        if threads < 1:
            raise InputError(f"{threads} threads", expected="at least 1", do="give the number of processor threads")
        torch.set_num_threads(threads)
    source = make_dataset(dataset, data=data)
    known = source.scenes(split)
    for name in scenes:
        if name not in known:
            raise InputError(f"'{name}' is not in the split '{split}' of {dataset}", do=did_you_mean(name, known))
    told = {m: dict((options or {}).get(m, {})) for m in methods}
    fusers = {m: make_fuser(m, **told[m]) for m in methods}
    kept = _Kept(out)
    rows: dict[str, list[Row]] = {m: [] for m in methods}
    for name in scenes or known:
        truth, observation = dataset_truth(source, name)
        content = truth_digest(truth, observation)
        scene = None
        for method, fuser in fusers.items():
            key = _key(dataset, split, name, content, method, told[method], seed)
            row = kept.get(key)
            if row is None:
                scene = scene or simulate_scene(truth, observation, seed=seed, name=f"{source.name}/{name}")
                row, _ = evaluate_fuser(fuser, scene, generator=generator(seed, "fuse", method, name))
                kept.add(key, row)
            rows[method].append(row)
            if on_row is not None:
                on_row(row)
    means = tuple(mean_row(rows[m]) for m in methods)
    every = tuple(row for m in methods for row in rows[m])
    # The published rows are means over the whole test split under the paper's protocol: only beside that.
    published = PUBLISHED.get(dataset, ()) if split == "test" and not scenes else ()
    markdown = to_markdown(means, published)
    kept.summarise(to_csv(every), markdown)
    return BenchmarkResult(every, means, markdown)


def _key(
    dataset: str, split: str, scene: str, content: str, method: str, options: Mapping[str, object], seed: int
) -> str:
    """Hash what decides a row: the version too, the scene and weights by their content, shipped ones included."""
    text = [__version__, dataset, split, scene, content, method, str(seed)]
    shipped = shipped_weights()
    for option, value in sorted(options.items()):
        file = shipped.get(str(value), Path(str(value)))
        digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else repr(value)
        text.append(f"{option}={digest}")
    return hashlib.sha256("\x1f".join(text).encode()).hexdigest()[:16]


class _Kept:
    """Rows on disk, one JSON object a line."""

    def __init__(self, out: PathLike | None) -> None:
        self._folder = None if out is None else Path(out)
        self._rows: dict[str, Row] = {}
        self._torn = False
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / "rows.jsonl"
            text = path.read_text(encoding="utf-8") if path.exists() else ""
        except OSError as e:
            raise WriteError(f"'{self._folder}' cannot be used ({e.strerror})", do="choose another folder") from e
        self._torn = bool(text) and not text.endswith("\n")
        for line in text.splitlines():
            try:
                entry = json.loads(line)
                self._rows[entry["key"]] = Row(**entry["row"])
            except (ValueError, KeyError, TypeError):
                continue  # a line cut off by an interruption: its row is computed again

    def get(self, key: str) -> Row | None:
        return self._rows.get(key)

    def add(self, key: str, row: Row) -> None:
        line = json.dumps({"key": key, "row": asdict(row)}) + "\n"
        self._write("rows.jsonl", "\n" + line if self._torn else line, "a")
        self._torn = False

    def summarise(self, csv: str, markdown: str) -> None:
        self._write("rows.csv", csv, "w")
        self._write("table.md", markdown, "w")

    def _write(self, name: str, text: str, mode: str) -> None:
        if self._folder is None:
            return
        try:
            with (self._folder / name).open(mode, encoding="utf-8") as file:
                file.write(text)
        except OSError as e:
            raise WriteError(
                f"'{self._folder / name}' could not be written ({e.strerror})", do="check the folder and the free space"
            ) from e
