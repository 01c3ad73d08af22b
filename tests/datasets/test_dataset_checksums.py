"""Checksums: a file that differs is named, one that is missing is not; the real files are the known ones."""

import hashlib

import pytest

from hsrdiff.datasets import DATASETS, differing_files, known_checksums, make_dataset
from hsrdiff.datasets import checksums as module
from hsrdiff.datasets.known_scenes import KnownScenes
from hsrdiff.errors import DatasetNotFoundError


def test_every_scene_of_the_sets_at_hand_has_a_checksum(tmp_path):
    known = known_checksums()
    assert all(len(digest) == 64 and set(digest) <= set("0123456789abcdef") for digest in known.values())
    for name in DATASETS:
        dataset = make_dataset(name, data=tmp_path)
        if isinstance(dataset, KnownScenes) and name not in ("paviau", "chikusei"):
            assert set(dataset.files.values()) <= set(known)
    cave = make_dataset("cave", data=tmp_path)
    for split in ("train", "test"):
        assert {f"cave/{split}/{scene}.jp2" for scene in cave.scenes(split)} <= set(known)


def test_a_changed_file_is_named_and_a_missing_one_is_not(tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.mat").write_bytes(b"one")
    (tmp_path / "a" / "two.mat").write_bytes(b"changed")
    content = {"a/one.mat": b"one", "a/two.mat": b"two", "a/three.mat": b"three"}
    known = {path: hashlib.sha256(data).hexdigest() for path, data in content.items()}
    monkeypatch.setattr(module, "known_checksums", lambda: known)
    assert differing_files(tmp_path) == ("a/two.mat",)
    with pytest.raises(DatasetNotFoundError):
        differing_files(tmp_path / "nowhere")


@pytest.mark.data
def test_the_real_files_are_the_known_ones():
    assert differing_files() == ()
