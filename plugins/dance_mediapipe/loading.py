"""Loading MediaPipe: the remedy where a system library is missing, and no chatter on stderr."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator

from dancecli.errors import PluginError


@contextlib.contextmanager
def needed(package: str, requirement: str) -> Iterator[None]:
    """Turns an ImportError of the block into a PluginError that says what to install."""
    try:
        yield
    except ImportError as error:
        if re.search(r"lib(GL|gthread|glib)", str(error)):
            remedy = "install the system library with `apt-get install libgl1 libglib2.0-0`"
        else:
            remedy = f"install it with `pip install {requirement}`"
        raise PluginError(f"{package} does not load: {error}; {remedy}") from error


_NOISE = re.compile(
    rb"TensorFlow Lite XNNPACK|absl::InitializeLog|inference_feedback_manager|"
    rb"landmark_projection_calculator|gl_context|Matplotlib is building"
)
_redirecting = threading.RLock()


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keeps MediaPipe's greetings off the user's terminal.

    They are written by C++ before its log can be configured, straight to descriptor 2. What else
    was written meanwhile is passed on afterwards.
    """
    with _redirecting, tempfile.TemporaryFile() as caught:
        sys.stderr.flush()
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all (a service): nothing to keep clean
            yield
            return
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            caught.seek(0)
            for line in caught:
                if not _NOISE.search(line):
                    os.write(2, line)
            os.close(saved)
