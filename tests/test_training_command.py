"""`dance train`: what it trains, what it plans, and what it says of wrong requests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from dance_freestyle.checkpoint import load_network, save_network
from dance_freestyle.training.checkpoints import checkpoints
from dance_freestyle.training.tasks import build
from freestyle_tiny import TINY
from made_samples import made_set

from dancecli.cli.train import command
from dancecli.errors import UsageError, WeightsError

torch.set_num_threads(1)

TINY_OPTIONS = {
    "p2b": "p2b.size=64x40 p2b.ngf=4 p2b.downs=3 p2b.ndf=4",
    "b2f": "b2f.size=64x40 b2f.canvas=64x40 b2f.unet=8,8,8 b2f.style=4 b2f.crop=32 b2f.ndf=4 "
    "b2f.channels=8,8,8,8,4 b2f.face_embedding=8 b2f.part_embedding=4",
    "fr": "fr.size=64 fr.encoder=4,8,8,8,8 fr.start=8 fr.latent=8 fr.decoder=8,4,4,4 fr.crop=32 "
    "fr.unet=8,8,8 fr.style=4 fr.embedding=8 fr.ndf=4",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_set(tmp_path_factory.mktemp("made"), people=5)


def invoke(*args: str) -> Any:
    return CliRunner().invoke(command, args)


def test_dry_run_with_data_knows_the_steps(folder: Path) -> None:
    result = invoke(
        "b2f", "--dry-run", "--data", str(folder), "--batch-size", "2", "-o", "runs/b2f"
    )
    assert result.exit_code == 0, result.output
    assert "5 in 9 frames" in result.output
    assert "180" in result.output and "runs/b2f/step-" in result.output  # 9 · 40 / 2
    assert not Path("runs").exists()


@pytest.mark.parametrize("role", ["p2b", "b2f", "fr"])
def test_the_command_trains_and_goes_on(role: str, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / role
    args = [role, "--data", str(folder), "-o", str(run), "--device", "cpu", "--batch-size", "2"]
    for change in TINY_OPTIONS[role].split():
        args += ["--set", change]
    result = invoke(*args, "--steps", "2")
    assert result.exit_code == 0, result.output
    assert load_network(Path(result.stdout.strip()), role) is not None
    again = invoke(*args, "--steps", "3")
    assert isinstance(again.exception, UsageError) and "--resume" in str(again.exception)
    result = invoke(*args, "--steps", "3", "--resume", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["samples_seen"] == 6
    shutil.rmtree(run)


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["p2b", "--dry-run", "--set", "p2b.use_dpp=off"], "p2b.use_dp"),
        (["p2b", "--dry-run", "--set", "p2b.use_dp"], "KEY=VALUE"),
        (["p2b", "--dry-run", "--preset", "papr"], "paper"),
        (["p2b"], "--dry-run"),
        (["p2b", "--data", "no-such-set", "-o", "x"], "no-such-set"),
    ],
)
def test_wrong_requests_say_what_is_right(args: list[str], says: str) -> None:
    result = invoke(*args)
    assert isinstance(result.exception, UsageError)
    assert says in str(result.exception)


def test_a_seed_is_one_that_torch_takes() -> None:
    result = invoke("p2b", "--dry-run", "--seed", str(2**64))
    assert result.exit_code == 2 and "is not in the range" in result.output


def test_a_named_data_set_lies_in_the_data_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANCE_DATA", str(folder.parent))
    result = invoke("fr", "--dry-run", "--json", "--data", f"{folder.name},{folder}")
    assert json.loads(result.stdout)["samples"] == 10


def tiny(role: str, folder: Path, run: Path, *more: str) -> list[str]:
    """A tiny run of a network."""
    settings = [word for change in TINY_OPTIONS[role].split() for word in ("--set", change)]
    return [role, "--data", str(folder), "-o", str(run), "--device", "cpu", "--batch-size", "2",
            "--workers", "0", "--pictures-every", "0", *settings, *more]  # fmt: skip


def made_bundle(folder: Path, *roles: str) -> Path:
    """A bundle of untrained networks."""
    folder.mkdir(parents=True)
    for role in roles:
        save_network(
            folder / f"{role}.safetensors", role, build(role, getattr(TINY, role), 9).network
        )
    files = "".join(f'{role} = "{role}.safetensors"\n' for role in roles)
    (folder / "bundle.toml").write_text(
        f'schema = 1\nname = "made"\nlicence = "MIT"\ncommercial = true\n[networks]\n{files}'
    )
    return folder


def test_epochs_are_steps_of_the_data(folder: Path, tmp_path: Path) -> None:
    result = invoke(*tiny("fr", folder, tmp_path / "run", "--epochs", "2", "--json"))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout.splitlines()[-1])["steps"] == 9  # 2 · 9 frames of 5 / 2
    both = invoke("fr", "--dry-run", "--epochs", "2", "--steps", "3")
    assert isinstance(both.exception, UsageError) and "--epochs" in str(both.exception)
    plan = invoke("fr", "--dry-run", "--epochs", "2")
    assert "2 epochs of the data" in plan.output


@pytest.mark.parametrize(
    ("kept", "then"),
    [
        (True, "the run was to end at step 2: --steps 2"),
        (False, "an earlier version, which counted samples, ended at step 5: --steps 5"),
    ],
)
def test_a_run_whose_epochs_now_end_elsewhere_says_how_to_keep_to_its_end(
    folder: Path, tmp_path: Path, kept: bool, then: str
) -> None:
    run = tmp_path / "run"
    assert invoke(*tiny("fr", folder, run, "--steps", "2")).exit_code == 0
    if not kept:
        (last,) = checkpoints(run)
        state = last.state()
        del state["steps"]
        torch.save(state, last.path / "state.pt")
    result = invoke(*tiny("fr", folder, run, "--epochs", "2", "--resume"))
    assert result.exit_code == 0, result.output
    assert f"its 2 epochs of 9 frames end at step 9; {then} keeps to that" in result.stderr
    for more in (("--epochs", "2"), ("--steps", "10")):  # as it goes on now, and as it is told to
        result = invoke(*tiny("fr", folder, run, *more, "--resume"))
        assert result.exit_code == 0 and "keeps to that" not in result.stderr


def test_init_takes_a_name_a_bundle_a_run_and_a_file(
    folder: Path, tmp_path: Path, own_cache: Path
) -> None:
    bundle = made_bundle(own_cache / "weights" / "mine", "fr")
    first = tmp_path / "first"
    assert invoke(*tiny("fr", folder, first, "--steps", "1", "--init", "mine")).exit_code == 0
    starts = {
        "mine": bundle / "fr.safetensors",
        str(bundle): bundle / "fr.safetensors",
        str(bundle / "fr.safetensors"): bundle / "fr.safetensors",
        str(first): first / "step-00000001" / "fr.safetensors",
        str(first / "step-00000001"): first / "step-00000001" / "fr.safetensors",
    }
    for number, (start, file) in enumerate(starts.items()):
        run = tmp_path / str(number)
        # A rate of almost nothing: the network stays what it began with.
        slow = ("--set", "fr.schedule.rate=1e-12")
        result = invoke(*tiny("fr", folder, run, "--steps", "1", "--init", start, *slow))
        assert result.exit_code == 0, result.output
        made, wanted = (load_network(path, "fr") for path in (Path(result.stdout.strip()), file))
        for a, b in zip(made.parameters(), wanted.parameters(), strict=True):
            torch.testing.assert_close(a, b, atol=1e-9, rtol=0)


def test_init_says_what_it_finds_instead(folder: Path, tmp_path: Path) -> None:
    bundle = made_bundle(tmp_path / "bundle", "p2b")
    for start, says in (("nobody", "nobody"), (str(bundle), "no fr"), (str(tmp_path), "bundle")):
        result = invoke(*tiny("fr", folder, tmp_path / "run", "--init", start))
        assert isinstance(result.exception, WeightsError) and says in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_fr_learns_from_faces_that_a_b2f_paints(folder: Path, tmp_path: Path) -> None:
    bundle = made_bundle(tmp_path / "bundle", "b2f")
    run = tmp_path / "run"
    painted = ("--set", "fr.rendered=1", "--render-with", str(bundle))
    assert invoke(*tiny("fr", folder, run, "--steps", "1", *painted)).exit_code == 0
    worn = invoke(*tiny("fr", folder, run, "--steps", "2", "--resume", "--set", "fr.rendered=1"))
    assert isinstance(worn.exception, UsageError) and "begun with faces" in str(worn.exception)
    result = invoke(*tiny("fr", folder, run, "--steps", "2", "--resume", *painted))
    assert result.exit_code == 0, result.output
    assert invoke("p2b", "--render-with", str(bundle), "--dry-run").exit_code != 0


@pytest.mark.parametrize("role", ["b2f", "fr"])
def test_features_are_remembered_by_the_bundle_that_was_named(
    role: str, folder: Path, tmp_path: Path, own_cache: Path
) -> None:
    made_bundle(own_cache / "weights" / "mine", "parser", "embedder")
    run, given = tmp_path / "run", ("--features", "mine")
    assert invoke(*tiny(role, folder, run, "--steps", "1", *given)).exit_code == 0
    without = invoke(*tiny(role, folder, run, "--steps", "2", "--resume"))
    assert isinstance(without.exception, UsageError)
    assert "of mine" in str(without.exception) and "--features" in str(without.exception)
    result = invoke(*tiny(role, folder, run, "--steps", "2", "--resume", *given))
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("role", ["b2f", "fr"])
def test_features_for_a_preset_that_has_published_ones_are_refused(
    role: str, folder: Path, tmp_path: Path
) -> None:
    given = ("--preset", "paper", "--features", "compact")
    result = invoke(role, "--data", str(folder), "-o", str(tmp_path / "run"), *given)
    assert isinstance(result.exception, UsageError)
    assert f"--set {role}.encoders=small" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_launcher_that_starts_one_process_of_several_is_told_of(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What accelerate's launcher sets with --cpu --num_processes 2.
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    result = invoke(*tiny("fr", folder, tmp_path / "run", "--steps", "1"))
    assert result.exit_code == 0 and "torchrun" in result.stderr
