"""OpenPose for `dance`, three ways to it.

`written.py` reads the folder that its `--write_json` wrote, `installed.py` runs an installed
program, `port.py` runs the published PyTorch port. `layout.py` knows OpenPose's orders,
`records.py` its JSON. OpenPose and its weights are for non-commercial research only.
"""
