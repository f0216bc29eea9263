"""What a new distribution has beside its module; `string.Template`, but USES and WHATS."""

from __future__ import annotations

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$package"
version = "0.1.0"
description = "$what for dance"
readme = "README.md"
license = "MIT"  # yours to choose; say it in the module's LICENCE too
requires-python = ">=3.10"
dependencies = ["dancecli"]

[project.optional-dependencies]
test = ["pytest>=8"]

[project.entry-points."$group"]
$name = "$module:$class_name"

[tool.hatch.build]
dev-mode-dirs = ["."]

[tool.hatch.build.targets.wheel]
only-include = ["$module.py"]
"""

README = """\
# $package

$what for `dance`, under the name `$name`.

```
pip install .
dance plugins check $name
$use
```

For work on it, in the environment where `dance` is installed:

```
pip install -e ".[test]"
pytest
```

`$module.py` holds the plugin; its docstring says what to replace. The interface is in
`dancecli/stages.py`, shapes and units are in `dancecli/types.py`.

Licence: MIT, code; no weights.
"""

TESTS = '''\
"""`$name` keeps the contract of `dance`, one test per check."""

from pathlib import Path

from dancecli.testing import suite

PHOTO = Path(__file__).with_name("photo.jpg")
"""Put one here that shows a whole person who faces the camera: some checks need it."""

test_contract = suite("$group", "$name", photo=PHOTO if PHOTO.exists() else None)
'''

READER_TESTS = '''\
"""`$name` keeps the contract of `dance`, one test per check."""

from pathlib import Path

from dancecli.figures import made_target
from dancecli.media import write_png
from dancecli.testing import suite


def small_set(folder: Path) -> None:
    """Three pictures in the reader's layout, one without a mask."""
    from PIL import Image

    for number, size in enumerate([(60, 96), (80, 128), (50, 80)]):
        target = made_target(*size)
        Image.fromarray(target.frame.rgb).save(folder / f"{number}.jpg")
        if number < 2:
            write_png(folder / f"{number}.mask.png", (target.mask.alpha * 255).astype("uint8"))


test_contract = suite("$group", "$name", data=small_set)
'''

_REENACT = "dance reenact photo.jpg dance.mp4 -o out.mp4"

USES = {
    "pose": f"{_REENACT} --pose {{name}}",
    "mask": f"{_REENACT} --mask {{name}}",
    "dense": f"{_REENACT} --dense {{name}}",
    "parser": f"{_REENACT} --parser {{name}}",
    "inpaint": f"{_REENACT} --inpaint {{name}}",
    "backend": f"{_REENACT} --backend {{name}}",
    "face-align": "dance refine-face out.mp4 --photo photo.jpg -o better.mp4 --face-align {name}",
    "face-embed": "dance plugins list --group face_embed",
    "dataset": "dance prepare-data {name} photos/ -o shards/{name}",
}
"""Kind -> a command that uses the plugin."""

WHATS = {
    "pose": "A pose extractor",
    "mask": "A person segmenter",
    "dense": "A dense pose estimator",
    "parser": "A human parser",
    "inpaint": "An inpainter",
    "backend": "A generator",
    "face-align": "A face aligner",
    "face-embed": "A face embedder",
    "dataset": "A data set reader",
}
"""Kind -> what it is."""
