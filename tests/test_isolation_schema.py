"""Everything that an interface speaks of crosses unchanged, and nothing else crosses."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dancecli.data.people import Options, Person, Skipped, View
from dancecli.figures import made_target
from dancecli.isolation.contract import DTYPES, SHAPES, attributes, methods, streamed
from dancecli.isolation.messages import Channel, ProtocolError, Room
from dancecli.isolation.schema import MismatchError, pack, unpack
from dancecli.stages import GROUPS, Settings
from dancecli.types import Box, Canvas, Frame, LabelMap, Layer, Skeleton, Target

SAID = "SAID"
"""Where a value stands, in these tests."""


def crossed(value: Any, hint: Any) -> Any:
    """A value after its way through JSON and arrays."""
    kept: list[NDArray[Any]] = []
    tree = json.loads(json.dumps(pack(value, hint, SAID, kept)))
    return unpack(tree, hint, SAID, lambda number, _dtype, _shape: kept[number].copy())


def equal(one: Any, two: Any) -> bool:
    """Whether two values are the same, arrays compared by their bits."""
    if type(one) is not type(two):
        return False
    if dataclasses.is_dataclass(one):
        return all(
            equal(getattr(one, f.name), getattr(two, f.name)) for f in dataclasses.fields(one)
        )
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(equal, one, two))
    return bool(one == two)


def bits(seed: int, dtype: Any, *shape: int) -> NDArray[Any]:
    """An array of any bits at all, NaN of every kind among them."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(np.random.default_rng(seed).bytes(size), dtype).reshape(shape)


def floats(*shape: int) -> st.SearchStrategy[NDArray[np.float32]]:
    return st.integers(0, 99).map(lambda seed: bits(seed, np.float32, *shape))


sides = st.integers(0, 5)
skeletons = st.builds(
    Skeleton, floats(25, 3), floats(21, 3), floats(21, 3), floats(70, 3), st.none() | floats(25, 3)
)
numbers = st.floats(allow_nan=False)


@st.composite
def layers(draw: Callable[..., Any]) -> Layer:
    height, width = draw(sides), draw(sides)
    labels = st.integers(0, 99).map(lambda seed: LabelMap(bits(seed, np.uint8, height, width)))
    return Layer(
        draw(floats(height, width, 3)), draw(floats(height, width)),
        Canvas(draw(sides), draw(sides), draw(numbers), draw(numbers)),
        draw(st.none() | labels), draw(st.none() | floats(70, 3)),
    )  # fmt: skip


@given(
    skeletons, st.lists(layers(), max_size=2), st.builds(Box, numbers, numbers, numbers, numbers)
)
def test_values_cross_unchanged(skeleton: Skeleton, painted: list[Layer], box: Box) -> None:
    for value, hint in ((skeleton, Skeleton), (painted, list[Layer]), (box, Box | None)):
        assert equal(crossed(value, hint), value)
    assert crossed(None, Box | None) is None


def test_nested_and_mixed_values_cross_unchanged() -> None:
    target = made_target(20, 30)
    assert equal(crossed(target, Target), target)
    view = View(target.frame.rgb, mask=target.mask.alpha > 0, skeleton=target.skeleton)
    for each in (Person("a", (view, view), {"b": [1, None, "c"]}), Skipped("a", "b")):
        assert equal(crossed(each, Person | Skipped), each)
    assert crossed(Settings("cpu", None, 3), Settings) == Settings("cpu", None, 3)
    assert crossed(Options(set={"a": "b"}), Options) == Options(set={"a": "b"})
    assert crossed(Path("a/b"), Path | None) == Path("a/b")
    part = Frame(target.frame.rgb[::2, ::-1], np.int64(4), np.float32(0.5))  # as libraries give it
    assert equal(crossed(part, Frame), Frame(part.rgb, 4, 0.5))


def reached(hint: Any, where: str, seen: dict[str, Any]) -> None:
    """All arrays that a type can hold: where they stand -> their type."""
    if hint in DTYPES:
        seen[where] = hint
    elif dataclasses.is_dataclass(hint):
        module = sys.modules[hint.__module__]
        for field in dataclasses.fields(hint):
            reached(eval(str(field.type), vars(module)), f"{hint.__name__}.{field.name}", seen)
    else:
        for part in get_args(hint):
            reached(part, where, seen)


def test_every_array_of_every_interface_has_a_shape() -> None:
    seen: dict[str, Any] = {}
    for group in GROUPS:
        for method in methods(group).values():
            for name, hint in method.parameters.items():
                reached(hint, f"{method.name}.{name}", seen)
            reached(streamed(method.returns) or method.returns, f"{method.name}.return", seen)
    assert seen.keys() == SHAPES.keys()


def test_the_interfaces_are_read_as_they_are_written() -> None:
    assert list(methods("dance.backend")) == ["prepare", "render", "refine"]
    assert list(attributes("dance.backend")) == ["canvas", "uses_dense", "refines"]
    extract = methods("dance.pose")["extract"]
    assert extract.arguments("frame") == ("frame", None)
    assert extract.arguments(boxes=[], frame="frame") == ("frame", [])
    with pytest.raises(TypeError):
        extract.arguments()


@pytest.mark.parametrize(
    ("value", "hint", "says"),
    [
        (Skeleton(np.zeros((25, 3))), Skeleton, r"is float64 \(25, 3\), not float32 \(25, 3\)"),
        (Skeleton(np.zeros((18, 3), np.float32)), Skeleton, r"body is float32 \(18, 3\)"),
        (Frame(np.zeros((2, 3, 4), np.uint8)), Frame, r"not uint8 \(2, 3, 3\)"),
        (
            Layer(np.zeros((2, 3, 3), np.float32), np.zeros((3, 2), np.float32), Canvas(3, 2)),
            Layer, r"Layer.m is float32 \(3, 2\), not float32 \(2, 3\)",
        ),
        (None, Frame, "SAID is NoneType, not Frame"),
        ([1, 2, 3], tuple[int, int] | None, "3 items, not 2"),
        ("1", int, "SAID is str, not int"),
        (Person("a", (), {"b": object()}), Person, "cannot be written as JSON"),
        (Frame([[0]]), Frame, "Frame.rgb is list, not ndarray"),
    ],
)  # fmt: skip
def test_what_an_interface_does_not_say_is_not_sent(value: Any, hint: Any, says: str) -> None:
    with pytest.raises(MismatchError, match=says):
        pack(value, hint, SAID, [])


def packed_frame() -> dict[str, Any]:
    tree: dict[str, Any] = pack(Frame(np.zeros((2, 3, 3), np.uint8)), Frame, SAID, [])
    return tree


@pytest.mark.parametrize(
    "change",
    [
        {"type": "Skeleton"},
        {"type": ["Frame"]},
        {"fields": None},
        {"fields": {"rgb": 0}},
        *({"fields": {**packed_frame()["fields"], "rgb": rgb}} for rgb in (
            None, 7, [], {"dtype": "object", "shape": [2, 3, 3], "array": 0},
            {"dtype": "uint8", "shape": [-2, 3, 3], "array": 0},
            {"dtype": "uint8", "shape": [2.0, 3, 3], "array": 0},
            {"dtype": "uint8", "shape": [2, 3, 3], "array": "0"},
            {"dtype": "uint8", "shape": "233", "array": 0},
            {"dtype": "uint8"},
        )),
        {"fields": {"rgb": None, "index": 0}},
    ],
)  # fmt: skip
def test_what_a_worker_makes_up_is_refused(change: Mapping[str, Any]) -> None:
    def lookup(*_asked: object) -> NDArray[Any]:
        raise AssertionError("an array was read before it was checked")

    with pytest.raises(MismatchError):
        unpack({**packed_frame(), **change}, Frame, SAID, lookup)


@settings(max_examples=60, deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["type", "fields", "rgb", "dtype", "shape", "array", "x"]),
                      inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_any_other_json_is_refused_in_the_same_way(tree: Any) -> None:
    with pytest.raises(MismatchError):
        unpack(tree, Frame, SAID, lambda *_asked: np.zeros((0, 0, 3), np.uint8))


def received(data: bytes) -> Any:
    return Channel(io.BytesIO(data), io.BytesIO()).receive()


def test_messages_are_read_with_care() -> None:
    out = io.BytesIO()
    Channel(io.BytesIO(), out).send({"a": [1, "ü"]})
    assert received(out.getvalue()) == {"a": [1, "ü"]}
    assert received(b"") is received(b"\0\0") is received(out.getvalue()[:-1]) is None
    for text in (b"[]", b"{", b"\xff\xfe", b"[" * 100_000):
        with pytest.raises(ProtocolError):
            received(len(text).to_bytes(8, "big") + text)
    with pytest.raises(ProtocolError, match="a message of 2"):
        received(b"\x1f" * 9)


def test_arrays_go_to_the_next_place_where_the_first_is_full(tmp_path: Path) -> None:
    full, roomy = Path("/dev/full"), tmp_path / "file"
    if not full.exists():
        pytest.skip("no /dev/full")
    roomy.touch()
    pictures = [np.arange(30, dtype=np.uint8).reshape(5, 6), np.ones((2, 0), np.float32)]
    room = Room([roomy])
    room._files.insert(0, io.FileIO(full, "r+"))
    try:
        at = room.put(pictures)
        assert at["file"] == 1
        for picture, offset in zip(pictures, at["offsets"], strict=True):
            read = room.take(1, offset, picture.dtype, picture.shape)
            assert np.array_equal(read, picture) and read.flags.owndata and read.flags.writeable
        for number, offset, shape in ((1, 0, (9999,)), (2, 0, (1,)), (-1, 0, (1,)), (1, -1, (1,))):
            with pytest.raises(ProtocolError):
                room.take(number, offset, np.dtype(np.uint8), shape)
        with pytest.raises(ProtocolError):
            room.take(1, 0, np.dtype(np.uint8), (2**62, 2**62))
    finally:
        room.close()
    assert not roomy.exists()


def test_no_room_anywhere_is_one_clear_line() -> None:
    resource = pytest.importorskip("resource")
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "from dancecli.isolation.messages import Room\n"
        "import numpy as np\n"
        "room = Room.new()\n"
        "try: room.put([np.zeros(2_000_000, np.uint8)])\n"
        "finally: room.close()"
    )
    assert resource
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "DanceError: no room for 2 MB of frames in " in done.stderr.splitlines()[-1]
