"""`dance weights`, `--licence commercial`, and what `dance doctor` says of plugins."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from weights_site import Site, entry, install, package, site

from dancecli import registry
from dancecli.cli import doctor
from dancecli.errors import LicenceError
from dancecli.health import Health, examine_plugin
from dancecli.stages import Settings

WHOLE = bytes(range(256)) * 400

PLUGIN = """
from dancecli.weights import locate
class Made:
    INTERFACE_VERSION, LICENCE, COMMERCIAL = 1, "terms of Made", {commercial}
    def __init__(self, settings):
        {body}
    def inpaint(self, frame, hole):
        return frame
"""


@pytest.fixture
def web() -> Iterator[Site]:
    with site() as served:
        yield served


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install an inpainter called `made`, with some of its manifest."""

    def make(manifest: str = "", commercial: object = True, body: str = "pass") -> None:
        code = PLUGIN.format(commercial=commercial, body=body)
        package(tmp_path, manifest, code, "[dance.inpaint]\nmade = dance_made.plugin:Made\n")
        install(monkeypatch, tmp_path)

    return make


NEEDED = {"needed_by": '["dance.inpaint:made"]'}


def test_from_list_to_remove(run: Run, made: Callable[..., None], web: Site) -> None:
    made(entry("one", WHOLE, web.serve("/one", WHOLE), **NEEDED))
    rows = {row["name"]: row for row in json.loads(run("weights", "list", "--json").out)}
    assert rows["one"]["state"] == "missing" and rows["one"]["needed_by"] == ["dance.inpaint:made"]
    assert rows["humans"]["addresses"] == []
    listed = run("weights", "list").out
    assert "missing   one" in listed and "no public address" in listed

    fetched = run("weights", "fetch", "one", "--json")
    assert fetched.code == 0
    path = Path(json.loads(fetched.out)["one"])
    events = [json.loads(line) for line in fetched.err.splitlines()]
    assert {"event": "progress", "done": 1, "total": 1}.items() <= events[-2].items()
    assert run("weights", "path", "one").out.strip() == str(path)
    assert run("weights", "path").out.strip() == str(path.parent)
    assert run("weights", "verify").out == "ok        one\n"

    path.write_bytes(WHOLE[::-1])
    verified = run("weights", "verify", "one")
    assert verified.code == 1 and "damaged   one: its SHA-256 is" in verified.out
    assert json.loads(run("weights", "verify", "--json").out)["one"]["state"] == "damaged"
    assert "0.1 MB" in run("weights", "remove", "one").out
    assert not path.exists()
    assert run("weights", "verify", "one").code == 1


def test_several_files_are_fetched_though_one_fails(
    run: Run, made: Callable[..., None], web: Site
) -> None:
    bad = entry("bad", WHOLE, web.url + "/nowhere")
    made(bad + entry("good", WHOLE, web.serve("/good", WHOLE)))
    ran = run("weights", "fetch", "bad", "good")
    assert ran.code == 1 and "cannot fetch 'bad'" in ran.err and "Traceback" not in ran.err
    assert run("weights", "path", "good").code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("fetch",), "give a NAME; known: "),
        (("fetch", "lpips_vgg", "nonesuch"), "no weight file is called 'nonesuch'"),
        (("fetch", "vgg19", "vgg16", "--from", "x"), "--from FILE installs one file"),
        (("remove", "vgg91"), "did you mean 'vgg19'"),
    ],
)
def test_wrong_usage(run: Run, args: tuple[str, ...], said: str) -> None:
    ran = run("weights", *args)
    assert ran.code == 2 and said in ran.err


# --licence commercial


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"commercial": False, "body": "raise RuntimeError"}, r"'made': its terms forbid"),
        ({"commercial": None}, r"'made': its terms leave .* unclear \(terms of Made\)"),
        ({"body": "self.COMMERCIAL = None"}, "leave .* unclear"),
        (
            {"manifest": entry("one", WHOLE, commercial="false", **NEEDED)},
            "'made', which needs the weight file 'one': its terms forbid",
        ),
    ],
)
def test_licence_commercial_refuses_what_does_not_allow_it(
    given: dict[str, Any], why: str, made: Callable[..., None]
) -> None:
    made(**given)
    with pytest.raises(LicenceError, match=why):
        registry.load("dance.inpaint", "made", Settings(licence="commercial"))


@pytest.mark.parametrize("given", [{}, {"commercial": None, "body": "self.COMMERCIAL = True"}])
def test_licence_commercial_takes_what_allows_it(
    given: dict[str, Any], made: Callable[..., None]
) -> None:
    made(**given)
    assert registry.load("dance.inpaint", "made", Settings(licence="commercial"))


def test_a_run_stops_before_any_work(
    run: Run, made: Callable[..., None], demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    made(commercial=False)
    config = tmp_path / "dance.toml"
    config.write_text('licence = "commercial"\n')
    out = tmp_path / "out.mp4"
    for asked in (("--licence", "commercial"), ("--config", config)):
        ran = run("reenact", demo_photo, demo_video, "-o", out, "--inpaint", "made", *asked)
        assert ran.code == 1 and not out.exists()
        (line,) = ran.err.splitlines()
        assert "--licence commercial refuses dance.inpaint 'made'" in line


def test_the_defaults_may_be_used_commercially(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mp4"
    ran = run("reenact", demo_photo, demo_video, "-o", out, "--licence", "commercial", "--dry-run")
    assert ran.code == 0, ran.err


# dance doctor


def health() -> Health:
    return examine_plugin(registry.find("dance.inpaint", "made"))


def test_doctor_tells_all_of_a_plugin(made: Callable[..., None], web: Site, run: Run) -> None:
    manifest = entry("one", WHOLE, web.serve("/one", WHOLE), **NEEDED)
    made(manifest, False, "locate('one'); self.device = 'cuda:7'")
    found = health()
    assert found.importable and not found.ok
    assert found.missing == ("one",) and found.fix == "dance weights fetch one"
    assert run("weights", "fetch", "one").code == 0
    found = health()
    assert found.ok and found.fix == "" and found.device == "cuda:7"
    for part in ("dance-made 1.0", "cuda:7", "weights one", "commercial use: no", "terms of Made"):
        assert part in str(found)


def test_doctor_accepts_one_of_several_files(
    made: Callable[..., None], web: Site, run: Run
) -> None:
    other = entry("two", WHOLE, web.url + "/two", **NEEDED)
    made(entry("one", WHOLE, web.serve("/one", WHOLE), **NEEDED) + other, body="locate('one')")
    assert health().fix == "dance weights fetch one two"
    assert run("weights", "fetch", "one").code == 0
    assert health().ok and "weights one; weights missing two" in str(health())


def test_doctor_warns_of_a_missing_library_with_its_install_command(
    made: Callable[..., None], run: Run
) -> None:
    told = "rarelib is not here; install it with `pip install rarelib>=2`"
    body = f"from dancecli.errors import PluginError; raise PluginError({told!r})"
    made(entry("one", WHOLE, "http://127.0.0.1:9/one", **NEEDED), body=body)
    assert health().fix == "pip install rarelib>=2; then: dance weights fetch one"
    made(body=body)
    assert (health().ok, health().fix) == (False, "pip install rarelib>=2")
    ran = run("doctor")
    assert ran.code == 0, "only default plugins are needed"
    (at,) = (n for n, line in enumerate(ran.out.splitlines()) if "made (dance-made" in line)
    assert ran.out.splitlines()[at].startswith("warn")
    assert "fix: pip install rarelib>=2" in ran.out.splitlines()[at + 1]


@pytest.mark.parametrize("as_json", [True, False])
def test_the_list_tells_of_a_manifest_that_was_left_out(
    made: Callable[..., None], run: Run, as_json: bool
) -> None:
    made("[[file]]\nname = '../x'\n")
    ran = run("weights", "list", *["--json"] * as_json)
    (line,) = ran.err.splitlines()
    if as_json:
        line = json.loads(line)["text"]
        assert json.loads(ran.out)
    assert ran.code == 0 and "left out" in line


def test_doctor_names_a_manifest_that_was_left_out(made: Callable[..., None], run: Run) -> None:
    made("[[file]]\nname = '../x'\n")
    findings = json.loads(run("doctor", "--json").out)
    (wrong,) = [f for f in findings if f["topic"] == "weights.toml"]
    assert "left out" in wrong["found"] and not wrong["needed"]
    (own,) = [f["plugin"] for f in findings if f.get("plugin", {}).get("name") == "synth"]
    assert own["missing"] == ["humans"] and own["commercial"] is True


def test_the_advice_to_trust_a_file_names_the_file(
    run: Run, made: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made(entry("one", None))
    for name in ("one.bin", "an other.bin"):
        Path(name).write_bytes(WHOLE)
        ran = run("weights", "fetch", "one", "--from", name)
        (advice,) = re.findall("run `dance (.*)`", ran.err)
        assert shlex.split(advice) == ["weights", "fetch", "one", "--from", name, "--trust"]
    assert run(*shlex.split(advice)).code == 0


@pytest.mark.parametrize(("name", "says"), [("file", "is no folder"), (300 * "x", "too long")])
def test_doctor_tells_of_a_cache_that_cannot_be_one(
    made: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    name: str, says: str,
) -> None:  # fmt: skip
    made(entry("one", WHOLE, "http://127.0.0.1:9/one", **NEEDED))
    (tmp_path / "file").write_bytes(b"x")
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path / name))
    cache = doctor._cache()
    assert not cache.ok and says in cache.found and "DANCE_CACHE" in cache.fix
    assert health().missing == ("one",)
