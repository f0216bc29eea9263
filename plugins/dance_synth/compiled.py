"""Functions compiled by numba, kept compiled between runs where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`numba.njit`, on one thread, without the GIL, kept in numba's cache.

    numba keeps its results beside the source, else in the user's cache folder ($NUMBA_CACHE_DIR
    names another). Where it may write to neither, every process compiles afresh (about 20 s). What
    is kept is used until the function's own file changes: after changing a function that others
    call, touch their files too.
    """
    try:
        return numba.njit(function, cache=True, nogil=True)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(function, nogil=True)  # type: ignore[no-any-return]
