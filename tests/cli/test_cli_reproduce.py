"""`hsrdiff reproduce` stopped by Ctrl-C says whether the same command goes on."""

import pytest
from typer.testing import CliRunner

from hsrdiff import experiments
from hsrdiff.cli.app import app


@pytest.mark.parametrize(
    ("given", "said"), [((), "nothing half-written."), (("-o", "kept"), "goes on behind the rows")]
)
def test_ctrl_c_says_whether_rows_are_kept(monkeypatch, tmp_path, given, said):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiments, "reproduce", stopped)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["reproduce", "table1", *given])
    assert result.exit_code == 130
    assert said in result.stderr
