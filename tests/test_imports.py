"""The house rules that a syntax tree can show: floors, sizes, optional extras, a quiet and quick import."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

import hsrdiff
from hsrdiff.cubes import as_cube, write_cube

ROOT = Path(hsrdiff.__file__).parent
DESIGN = Path(__file__).parents[1] / "docs" / "design.md"
FILES = sorted(ROOT.rglob("*.py"))
# The public face names what it lends from every floor; nothing may import it back but the version.
FACE = 9
LONGEST_FILE = 400
EXTRAS = {"matplotlib", "jinja2", "tensorly", "accelerate", "tensorboard"}
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib"}
VAGUE_NAMES = {"utils", "helpers", "common", "misc"}


def _floors():
    """Read the table under "The house": `| 5 | `training/` | ... |`."""
    floors = {}
    for line in DESIGN.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| (\d+) \| ([^|]+) \|", line)
        if row:
            for name in re.findall(r"`([^`]+)`", row[2]):
                floors[name.removesuffix("/").removesuffix(".py")] = int(row[1])
    return floors


def _room(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def _imported(path):
    """Yield the absolute names a file imports anywhere, also inside functions and under TYPE_CHECKING."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno} imports relatively"
            if node.module == "hsrdiff":
                yield from ((f"hsrdiff.{alias.name}", node) for alias in node.names)
            else:
                yield (node.module, node)


def test_every_room_has_a_floor_in_the_design():
    floors = _floors()
    rooms = {_room(path) for path in FILES if path.relative_to(ROOT).parts[0] != "__init__.py"}
    assert rooms <= set(floors), f"not in docs/design.md: {sorted(rooms - set(floors))}"
    assert len(floors) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    floors = _floors()
    room = _room(path)
    floor = FACE if room == "__init__" else floors[room]
    for name, node in _imported(path):
        if name.split(".")[0] != "hsrdiff":
            continue
        other = name.split(".")[1]
        if other != room:
            below = floors.get(other, FACE)
            assert below < floor, f"line {node.lineno}: {room} (floor {floor}) imports {name} (floor {below})"


def test_no_file_is_long_or_vaguely_named():
    for path in FILES:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE, path
        assert path.stem not in VAGUE_NAMES, path


def test_nothing_reads_or_writes_pickles():
    for path in FILES:
        for name, node in _imported(path):
            assert name.split(".")[0] not in UNSAFE, f"{path}:{node.lineno} imports {name}"
        assert "allow_pickle=True" not in path.read_text(encoding="utf-8"), path


def _runs_on_import(tree):
    """Yield the statements that run when a module is imported: not functions, not TYPE_CHECKING."""
    for node in tree:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            yield from _runs_on_import(node.orelse)
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            yield from _runs_on_import(getattr(node, block, []))
        for handler in getattr(node, "handlers", []):
            yield from _runs_on_import(handler.body)


def test_optional_extras_are_imported_inside_functions():
    for path in FILES:
        for node in _runs_on_import(ast.parse(path.read_text(encoding="utf-8")).body):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in EXTRAS, f"{path}:{node.lineno} imports {name}"


def _python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


def test_import_is_quiet_quick_and_light():
    code = (
        "import time, sys; began = time.process_time(); import hsrdiff; "
        "print(time.process_time() - began); "
        f"heavy = set({sorted(EXTRAS | {'torch', 'numpy', 'xarray', 'rasterio', 'typer'})}); "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = _python(code)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    seconds, loaded = done.stdout.splitlines()
    # Processor time, so that a busy machine does not fail the test; the promise is 2 s.
    assert float(seconds) < 2.0
    assert loaded == "[]"


def test_help_is_printed_without_torch():
    code = (
        "import sys\n"
        "from hsrdiff.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'torch' not in sys.modules and 'rasterio' not in sys.modules\n"
    )
    done = _python(code)
    assert done.returncode == 0, done.stderr
    assert "fuse" in done.stdout


def test_a_file_is_looked_at_without_torch(tmp_path):
    cube = as_cube(
        np.ones((2, 3, 4), np.float32), wavelengths_nm=[500, 600], crs="EPSG:32633", transform=Affine.scale(10)
    )
    path = str(write_cube(cube, tmp_path / "cube.tif"))
    code = (
        "import sys, hsrdiff\n"
        "from hsrdiff.cli import main\n"
        f"assert hsrdiff.info({path!r}).bands == 2\n"
        f"try: main(['info', {path!r}])\n"
        "except SystemExit as end: assert not end.code\n"
        "assert 'rasterio' in sys.modules and 'torch' not in sys.modules\n"
    )
    done = _python(code)
    assert done.returncode == 0, done.stderr
    assert "500 to 600 nm" in done.stdout


def test_packages_are_there_after_a_bare_import():
    code = (
        "import sys, hsrdiff\n"
        "assert 'torch' not in sys.modules\n"
        "assert 'indian-pines' in hsrdiff.datasets.DATASETS and 'kriging' in hsrdiff.fusers.FUSERS\n"
        "assert hsrdiff.networks.CDFormer and hsrdiff.errors.HsrdiffError and 'fusers' in dir(hsrdiff)\n"
    )
    done = _python(code)
    assert done.returncode == 0, done.stderr
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"cli"}
    for name in rooms:
        assert getattr(hsrdiff, name).__name__ == f"hsrdiff.{name}"


def test_every_public_name_exists():
    for name in hsrdiff.__all__:
        assert getattr(hsrdiff, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'fuze'"):
        hsrdiff.fuze
