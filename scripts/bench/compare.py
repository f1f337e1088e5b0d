"""Runs PyTorch and embedspace in turn and prints the ratios: see scripts/bench/run."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

PYTORCH = Path(__file__).with_name("pytorch.py")

# The fastest one-cycle schedules of those tried that reach 98 % (docs/performance.md),
# with padding valid, which is the faster for both.
SCHEDULES = {  # technique: (epochs, batch, learning rate) of PyTorch, of embedspace
    "softmax": ((2, 128, 0.004), (1, 32, 0.008)),
    "contrastive": ((2, 128, 0.004), (1, 32, 0.008)),
    "center": ((2, 64, 0.004), (1, 32, 0.008)),
}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench/run")
    parser.add_argument("python")
    parser.add_argument("embedspace")
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--steps", type=positive, default=100)
    parser.add_argument("--accuracy", type=float)
    args = parser.parse_args()
    if args.accuracy is None:
        compare_speed(args)
    else:
        compare_time(args)


def positive(text):
    if (number := int(text)) < 1:
        raise ValueError
    return number


def compare_speed(args):
    """Images per second in training, for each padding and backend."""
    backends = [name for name in json.loads(output(args.embedspace, "list", "-json"))["backends"] if name != "xla:cuda"]
    for padding in "valid", "same":
        rates = {name: [] for name in ["PyTorch", *backends]}
        for _ in range(args.rounds):
            speed = output(args.python, PYTORCH, "speed", "--padding", padding, "--steps", str(args.steps))
            rates["PyTorch"].append(json.loads(speed)["train_images_per_second"])
            for backend in backends:
                speed = output(args.embedspace, "bench", "-json", "-backend", backend,
                               "-padding", padding, "-steps", str(args.steps))
                rates[backend].append(json.loads(speed)["backends"][0]["train_images_per_second"])
            print(f"padding {padding}: " + ", ".join(f"{name} {rate[-1]:.0f}" for name, rate in rates.items()), flush=True)
        report(f"padding {padding}", "images/s", rates)


def compare_time(args):
    """Seconds from the start of a process to an accuracy."""
    data = os.environ.get("EMBEDSPACE_DATA")
    if not data or not Path(data, "mnist").is_dir():
        sys.exit("error: EMBEDSPACE_DATA must name a folder with MNIST's files in its folder mnist")
    for technique, (theirs, ours) in SCHEDULES.items():
        seconds = {"PyTorch": [], "embedspace": []}
        for _ in range(args.rounds):
            seconds["PyTorch"].append(reaches(args.accuracy, [
                args.python, PYTORCH, "train", Path(data, "mnist"), "--technique", technique,
                "--epochs", str(theirs[0]), "--batch", str(theirs[1]), "--rate", str(theirs[2])]))
            with tempfile.TemporaryDirectory() as folder:
                seconds["embedspace"].append(reaches(args.accuracy, [
                    args.embedspace, "train", "-dataset", "mnist", "-technique", technique, "-out", folder,
                    "-epochs", str(ours[0]), "-batch", str(ours[1]), "-set", f"learning-rate={ours[2]}"]))
            print(f"{technique}: " + ", ".join(f"{name} {times[-1]:.1f} s" for name, times in seconds.items()), flush=True)
        report(f"{technique} to {args.accuracy:g} %", "s", seconds)


def reaches(accuracy, command):
    """Seconds until a line of the process tells a test accuracy that is high enough."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if (found := re.search(r"test +([0-9.]+) %", line)) and float(found[1]) >= accuracy:
                seconds = time.monotonic() - started
                process.kill()
                return seconds
    sys.exit(f"error: {accuracy} % was not reached:\n{''.join(lines)}")


def report(title, unit, measured):
    """The medians, smallest and largest of what was measured, and of its ratios to PyTorch."""
    print(f"\n{title}\n  {'':12}{unit:>24}{'ratio to PyTorch':>24}")
    for name, values in measured.items():
        ratios = [ours / theirs for ours, theirs in zip(values, measured["PyTorch"])]
        print(f"  {name:12}{spread(values, '.0f'):>24}{spread(ratios, '.2f'):>24}")
    print(flush=True)


def spread(values, form):
    return f"{median(values):{form}} ({min(values):{form}} - {max(values):{form}})"


def output(*command):
    """What a command prints; where it fails, its error ends this program."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(map(str, command))}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
