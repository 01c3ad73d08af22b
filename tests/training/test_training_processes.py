"""Two processes on the CPU: the mean of their gradients, one set of weights, one checkpoint and log."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_training_loop import task

from hsrdiff.training.loop import learning_rate, step_loss

STEPS = 5
# Each process trains, stops after two steps, goes on from the checkpoint, and writes down the weights it ends with.
WORKER = """
import sys
from pathlib import Path
import torch
from accelerate import Accelerator
from safetensors.torch import save_file
from test_training_loop import task
from hsrdiff.training.loop import end_processes, train_loop

folder, accelerator = Path(sys.argv[1]), Accelerator()
assert accelerator.num_processes == 2
train_loop(task(clip=1.0), folder, stop_at=2, show=False)
accelerator.wait_for_everyone()
second = task(clip=1.0)
assert train_loop(second, folder, show=False).step == 5
save_file(second.network.state_dict(), str(folder / f"weights{accelerator.process_index}.safetensors"))
end_processes()
assert not torch.distributed.is_initialized()
"""


def averaged_by_hand() -> dict[str, torch.Tensor]:
    """Train in one process on the mean of the gradients that each of the two would have."""
    t = task(clip=1.0)
    optimizer = torch.optim.Adam(t.network.parameters(), betas=t.options.betas)
    for step in range(STEPS):
        stage = t.plan.at(step)
        trained = t.network.second_half() if stage.second_half_only else list(t.network.parameters())
        losses = [step_loss(t, step, stage, process, torch.device("cpu")).total for process in range(2)]
        gradients = torch.autograd.grad(sum(losses) / 2, trained)  # type: ignore[arg-type]
        optimizer.zero_grad(set_to_none=True)
        norm = torch.stack([g.square().sum() for g in gradients]).sum().sqrt()
        for parameter, gradient in zip(trained, gradients, strict=True):
            parameter.grad = gradient * min(1.0, t.options.clip / (float(norm) + 1e-6))
        optimizer.param_groups[0]["lr"] = learning_rate(step, t.options)
        optimizer.step()
    return {name: value.detach() for name, value in t.network.state_dict().items()}


@pytest.mark.slow
def test_two_processes_follow_the_mean_of_their_gradients(tmp_path: Path) -> None:
    pytest.importorskip("accelerate")
    (tmp_path / "worker.py").write_text(WORKER)
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, str(tmp_path / "worker.py"), str(tmp_path / "run")],
        env=os.environ | {"PYTHONPATH": path, "ACCELERATE_USE_CPU": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    first, second = (load_file(str(tmp_path / "run" / f"weights{process}.safetensors")) for process in range(2))
    for name, value in averaged_by_hand().items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], value, rtol=0, atol=1e-5, msg=name)
    kept = load_file(str(tmp_path / "run" / "checkpoint.safetensors"))
    assert all(torch.equal(kept[f"network.{name}"], value) for name, value in first.items())
    rows = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(row)["step"] for row in rows] == list(range(1, STEPS + 1))
    assert not list((tmp_path / "run").glob("*.part"))
