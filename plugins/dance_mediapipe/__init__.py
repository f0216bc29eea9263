"""MediaPipe for `dance`: pose with hands and face, person mask, face alignment.

The models are inside MediaPipe's wheel, so nothing is downloaded. Read `search.py` for how people
are found, `people.py` for how one is read, `mask.py` for how one is cut out.
Importing raises PluginError where OpenCV lacks a system library.
"""

from dance_mediapipe.loading import needed

with needed("OpenCV", "opencv-contrib-python"):
    import cv2  # noqa: F401  # first of all, so that the error above comes before any other
