"""The whole of `compact` from a seed: people made, five networks trained, a bundle, its measures.

Every step is a command that a reader could type. Each goes on where it was stopped, and is passed
over once it is done.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dance_freestyle.training.commands import command
from dancecli.errors import DanceError, UsageError
from dancecli.holding import held
from dancecli.workdir import write_aside

BEGUN = "recipe.json"
"""In the folder of a run: the settings that its steps are done with."""

LICENCE = "MIT; trained on synthetic people alone (docs/weights.md)"


class StepFailedError(DanceError):
    """A step's command failed; what it had done is kept."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        # What the step was told wrongly, this command was: it is wrong usage of both.
        self.exit_code = code if code == UsageError.exit_code else DanceError.exit_code


@dataclass(frozen=True)
class Scale:
    """How much of everything.

    people: synthetic people, 4 frames each. heads: some of whom only the head is shown, 6 frames
    each, for FR. parser_coarse ... fr: steps. pairs, frames: of the measures.
    """

    people: int
    heads: int
    parser_coarse: int
    parser: int
    embedder: int
    p2b: int
    b2f: int
    b2f_fine: int
    fr: int
    pairs: int
    frames: int


SCALES = {
    "tiny": Scale(
        people=4, heads=6, parser_coarse=2, parser=1, embedder=2, p2b=2, b2f=2, b2f_fine=1, fr=2,
        pairs=1, frames=2,
    ),
    "small": Scale(
        people=1_600, heads=350, parser_coarse=4_000, parser=2_000, embedder=2_000, p2b=4_000,
        b2f=4_000, b2f_fine=300, fr=4_000, pairs=6, frames=12,
    ),
    "full": Scale(
        people=20_000, heads=4_000, parser_coarse=60_000, parser=30_000, embedder=20_000,
        p2b=60_000, b2f=80_000, b2f_fine=5_000, fr=40_000, pairs=24, frames=60,
    ),
}  # fmt: skip
"""tiny: minutes, to see that everything works. small: some hours on a CPU. full: for a GPU."""

BATCH = {
    "parser_coarse": 12,
    "parser": 12,
    "embedder": 64,
    "p2b": 16,
    "b2f": 12,
    "b2f_fine": 8,
    "fr": 32,
}

SECONDS = {"data": 2.5, "heads": 2.2, "parser_coarse": 0.05, "parser": 0.13, "embedder": 0.02,
           "p2b": 0.06, "b2f": 0.35, "b2f_fine": 1.3, "fr": 0.05}  # fmt: skip
"""Seconds of one core per person of four frames, or of six heads, and per sample: what one machine
took."""

COARSE = ("b2f.canvas=256x160",)
"""B2F learns at its own size first: the network is the same, the pictures a quarter."""

FADE = 0.35
"""Share of the steps in which the rate falls: the last noise of a constant one is gone then."""

SMALLER = ("--set", "parser.size=160x96", "--set", "parser.schedule.rate=2e-3")
"""The parser sees small pictures first, three times as many in the same time."""


@dataclass(frozen=True)
class Plan:
    """A run. data: instead of people made here. clips: for self-reenactment at the end."""

    out: Path
    scale: Scale
    seed: int = 0
    device: str = "auto"
    bf16: bool = False
    workers: int | None = None
    assets: Path | None = None
    data: str | None = None
    clips: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Step:
    """A command, what says that it is done, and what is done after it."""

    name: str
    arguments: tuple[str, ...]
    done: Path
    about: str = ""
    after: Callable[[], Any] | None = None


def steps(plan: Plan) -> Iterator[Step]:
    """In order."""
    out, scale = plan.out, plan.scale
    data = plan.data or str(out / "data")
    if plan.data is None:
        # One light per person: B2F copies the photo's pixels and cannot know another frame's light.
        whole = ("--pose", "mediapipe", "--parsed", "--set", "together=shared")
        yield _made(plan, "data", scale.people, 4, whole)
        yield _made(plan, "heads", scale.heads, 6, ("--set", "shot=head", "--dense", "truth"))
    yield _trained(plan, "parser", data, scale.parser_coarse, SMALLER, "parser-coarse")
    grown = ("--init", str(out / "parser-coarse"))
    yield _trained(plan, "parser", data, scale.parser, grown)
    yield _trained(plan, "embedder", data, scale.embedder)
    yield Step("features", (), out / "features" / "bundle.toml", "", lambda: _features(plan))
    features = ("--features", str(out / "features"))
    yield _trained(plan, "p2b", data, scale.p2b)
    coarse = tuple(part for change in COARSE for part in ("--set", change))
    mapped = (*features, "--map-with", str(out / "p2b"))
    yield _trained(plan, "b2f", data, scale.b2f, (*mapped, *coarse), "b2f-coarse")
    fine = (*mapped, "--init", str(out / "b2f-coarse"))
    yield _trained(plan, "b2f", data, scale.b2f_fine, fine, "b2f", BATCH["b2f_fine"])
    yield _trained(plan, "fr", plan.data or str(out / "heads"), scale.fr, features)
    yield Step("bundle", (), out / "bundle" / "bundle.toml", "", lambda: _bundle(plan))
    yield from _measured(plan)


def _made(plan: Plan, name: str, people: int, frames: int, options: tuple[str, ...]) -> Step:
    pack = ("--set", f"assets={plan.assets}") if plan.assets else ()
    workers = ("--workers", str(plan.workers)) if plan.workers else ()
    data = plan.out / name
    return Step(
        name,
        ("prepare-data", "synth", "-o", str(data), "--people", str(people),
         "--frames", str(frames),
         *options, "--seed", str(plan.seed + 1), "--resume", *workers, *pack),
        data / "manifest.json", f"{people:,} people, {frames} frames each",
    )  # fmt: skip


def _trained(
    plan: Plan, role: str, data: str, count: int, more: tuple[str, ...] = (),
    name: str | None = None, batch: int | None = None,
) -> Step:  # fmt: skip
    name = name or role
    batch, run = batch or BATCH[role], plan.out / name
    options = ["--data", data, "-o", str(run), "--steps", str(count), "--batch-size", str(batch)]
    options += ["--seed", str(plan.seed), "--device", plan.device]
    options += ["--set", f"{role}.schedule.fade={FADE}"]
    options += ["--bf16"] if plan.bf16 else []
    options += ["--workers", str(plan.workers)] if plan.workers is not None else []
    from dance_freestyle.training.checkpoints import checkpoints

    begun = bool(checkpoints(run))
    if begun:
        more = _without_init(more)
    options += ["--checkpoint-every", str(max(1, min(1000, count // 10))), *more]
    done = run / f"step-{count:08d}" / "state.pt"
    resume = ["--resume"] if begun else []
    about = f"{count:,} steps of {batch}, {count * batch:,} samples"
    return Step(name, ("train", role, *options, *resume), done, about)


def _without_init(options: tuple[str, ...]) -> tuple[str, ...]:
    """A run that goes on has its weights."""
    if "--init" not in options:
        return options
    at = options.index("--init")
    return options[:at] + options[at + 2 :]


def _newest(plan: Plan, name: str, role: str) -> Any:
    from dance_freestyle.training.starting import found_network

    return found_network(str(plan.out / name), role)


def _features(plan: Plan) -> None:
    from dance_freestyle.checkpoint import save_bundle

    networks = {role: _newest(plan, role, role) for role in ("parser", "embedder")}
    save_bundle(plan.out / "features", "features", networks, LICENCE, True)


def _bundle(plan: Plan) -> None:
    """All networks, in 16 bits; the embedder is for whoever trains with `--features`."""
    from dance_freestyle.checkpoint import save_bundle

    roles = ("p2b", "b2f", "fr", "parser", "embedder")
    networks = {role: _newest(plan, role, role) for role in roles}
    save_bundle(plan.out / "bundle", "compact", networks, LICENCE, True, half=True)


def _measured(plan: Plan) -> Iterator[Step]:
    backend = ("--backend", f"freestyle@{plan.out / 'bundle'}")
    for kind, options in (
        ("cross", ("--cross", "synth", *(("--assets", str(plan.assets)) if plan.assets else ()))),
        ("self", tuple(part for clip in plan.clips for part in ("--self", str(clip)))),
    ):
        report = plan.out / f"report-{kind}"
        if options:
            size = ("--frames", str(plan.scale.frames), "--pairs", str(plan.scale.pairs))
            arguments = ("evaluate", *options, *backend, "-o", str(report), *size)
            yield Step(f"evaluate {kind}", arguments, report / "report.html")


def cost(plan: Plan) -> list[tuple[str, str, float]]:
    """Name, what is done, and hours of one core for each step that is not done.

    Raises UsageError where the folder was begun with other settings.
    """
    check_begun(plan)
    found, people = [], {"data": plan.scale.people, "heads": plan.scale.heads}
    for step in steps(plan):
        if step.done.exists():
            continue
        if step.name in people:
            seconds = SECONDS[step.name] * people[step.name]
        else:
            key = {"b2f-coarse": "b2f", "b2f": "b2f_fine"}.get(
                step.name, step.name.replace("-", "_")
            )
            batch = BATCH.get(key, 0)
            seconds = SECONDS.get(key, 0.0) * batch * getattr(plan.scale, key, 0)
        found.append((step.name, step.about, seconds / 3600))
    return found


def run(plan: Plan, say: Callable[[str], None], flags: Sequence[str] = ()) -> Path:
    """All that is not done yet; the bundle's folder.

    flags: how the steps are to speak: -v, -q, --json. Raises StepFailedError naming the command to
    look at, UsageError where the folder was begun with other settings, and DanceError while another
    run holds the folder.
    """
    check_begun(plan)
    with held(plan.out):
        _run(plan, say, flags)
    return plan.out / "bundle"


def _run(plan: Plan, say: Callable[[str], None], flags: Sequence[str]) -> None:
    for step in steps(plan):
        if step.done.exists():
            say(f"{step.name}: done before")
            continue
        say(f"{step.name}: {step.about or 'begins'}")
        if step.arguments:
            _done(step.arguments, flags)
        if step.after:
            step.after()
        _note(plan)


def check_begun(plan: Plan) -> None:
    """Raises UsageError unless what is done in the folder was done with the same settings."""
    begun: Any = {}
    with suppress(OSError, ValueError):
        begun = json.loads((plan.out / BEGUN).read_text())
    was = begun if isinstance(begun, dict) else {}
    for name, value in _settings(plan).items():
        if was.get(name, value) != value:
            raise UsageError(
                f"{plan.out} was begun with {name} {was[name]}, not {value}; go on with the same "
                "--scale, --seed, --bf16 and --data, or choose another -o"
            )


def _note(plan: Plan) -> None:
    """Once something is done: a first step that fails binds nobody to its settings."""
    if not (plan.out / BEGUN).exists():
        write_aside(plan.out / BEGUN, json.dumps(_settings(plan), indent=1).encode())


def _settings(plan: Plan) -> dict[str, Any]:
    """What all steps must share, wherever folder and assets have moved to."""
    return {**asdict(plan.scale), "seed": plan.seed, "bf16": plan.bf16, "data": plan.data}


def _done(arguments: tuple[str, ...], flags: Sequence[str]) -> None:
    """Raises StepFailedError unless the command succeeds."""
    code = command([*arguments, *flags], silent="--json" in flags)
    if code:
        raise StepFailedError(
            f"exit code {code} from: dance {' '.join(arguments)}; "
            "the same command as before goes on from there",
            code,
        )
