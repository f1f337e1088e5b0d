"""Writes the Go kernel's description: kernelspec.py VENV BIN GO_FOLDER.

The kernel gets the environment of the scripts, but for GOWORK and GOFLAGS: a
notebook is a workspace of its own.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

venv, bin_folder, go_folder = sys.argv[1:]
env = {
    "PATH": os.pathsep.join([bin_folder, go_folder, os.environ["PATH"]]),
    "GOFLAGS": "",
    "GOWORK": "",
    "GOMLX_NO_AUTO_INSTALL": "1",
}
for name in ("GOTOOLCHAIN", "GOEXPERIMENT", "CGO_ENABLED", "GOENV", "XDG_CONFIG_HOME"):
    if name in os.environ:
        env[name] = os.environ[name]
spec = {
    "argv": [
        os.path.join(bin_folder, "gonb"), "--kernel", "{connection_file}", "--raw_error",
        "--logtostderr=false", "--log_file=/dev/null", "--stderrthreshold=3",
    ],
    "display_name": "Go (gonb)",
    "language": "go",
    "interrupt_mode": "message",
    "env": env,
}
folder = Path(venv, "share", "jupyter", "kernels", "gonb")
folder.mkdir(parents=True, exist_ok=True)
with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as file:
    json.dump(spec, file, indent=1)
os.replace(file.name, folder / "kernel.json")
