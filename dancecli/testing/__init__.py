"""The conformance suite: what every plugin must do, whoever wrote it.

One module per interface of `dancecli.stages` lists what is checked; `behaviour` has what holds for
all of them. `dance plugins check NAME` runs `check`, a plugin's own tests run `suite`:

    from dancecli.testing import suite

    test_contract = suite("dance.parser", "mine")

Pictures are drawn here, so no media are needed. Plugins that look for real people see nobody in a
drawing: what can only be told on a photo is skipped without one, never passed.
"""

from dancecli.testing.outcomes import Outcome
from dancecli.testing.pytest_suite import suite
from dancecli.testing.running import Contract, check, titles

__all__ = ["Contract", "Outcome", "check", "suite", "titles"]
