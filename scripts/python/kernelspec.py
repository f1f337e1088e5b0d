"""Writes the Go kernel's description: kernelspec.py VENV BIN GO_FOLDER.

The kernel gets the environment of the scripts, but for GOWORK and GOFLAGS: a
notebook is a workspace of its own, whose programs are linked without what a
debugger needs, which is faster.
"""

import json
import os
import shlex
import sys
import tempfile
from pathlib import Path

venv, bin_folder, go_folder = sys.argv[1:]
folder = Path(venv, "share", "jupyter", "kernels", "gonb")
env = {
    "PATH": os.pathsep.join([str(folder), bin_folder, go_folder, os.environ["PATH"]]),
    "GOFLAGS": "'-ldflags=-s -w'",
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
# goimports makes a folder in the user's cache, where Go's build cache and the datasets
# are, too, and stay: only goimports is told of another one.
goimports = f"""#!/bin/sh
export GOCACHE="${{GOCACHE:-$(go env GOCACHE)}}" XDG_CACHE_HOME={shlex.quote(os.path.join(os.path.dirname(bin_folder), "cache"))}
exec {shlex.quote(os.path.join(bin_folder, "goimports"))} "$@"
"""


def write(name, content, mode):
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, delete=False) as file:
        file.write(content)
    os.chmod(file.name, mode)
    os.replace(file.name, folder / name)


folder.mkdir(parents=True, exist_ok=True)
write("goimports", goimports, 0o755)
write("kernel.json", json.dumps(spec, indent=1), 0o644)
