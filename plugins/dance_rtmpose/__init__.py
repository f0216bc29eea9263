"""Whole-body pose for `dance`: 133 points by DWPose or RTMW, through rtmlib and onnxruntime.

`pose.py` is the plugin, `networks.py` loads what it needs, `layout.py` knows the order of points.
"""
