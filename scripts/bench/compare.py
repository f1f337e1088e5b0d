"""Runs PyTorch and embedspace in turn and prints the ratios: see scripts/bench/run."""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

PYTORCH = Path(__file__).with_name("pytorch.py")
FORMS = ["relu-first", "pooling-first", "fused-adam", "compiled", "keeps-memory"]  # of pytorch.py

# The fastest one-cycle schedules of those tried that reach 98 % with each of three seeds or
# more, and 98.1 % in the mean (docs/performance.md), with padding valid, which is the
# faster for both. Compiling would take longer than the training.
FORM = "keeps-memory"
SCHEDULES = {  # technique: (epochs, batch, learning rate) of PyTorch, of embedspace
    "softmax": ((1, 24, 0.006), (1, 24, 0.006)),
    "contrastive": ((2, 256, 0.008), (2, 128, 0.006)),
    "center": ((1, 24, 0.006), (1, 32, 0.008)),
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
    """Images per second in training, for each padding, form and backend."""
    backends = [name for name in json.loads(output(args.embedspace, "list", "-json"))["backends"] if name != "xla:cuda"]
    forms = [form for form in FORMS if form != "compiled" or compiles(args.python)]
    for padding in "valid", "same":
        rates = {name: [] for name in [*forms, *backends]}
        first = None
        for _ in range(args.rounds):
            for form in forms:
                speed = json.loads(output(args.python, PYTORCH, "speed", "--form", form, "--padding", padding, "--steps", str(args.steps)))
                rates[form].append(speed["train_images_per_second"])
                first = first or speed
                check_same(form, speed, first)
            for backend in backends:
                speed = output(args.embedspace, "bench", "-json", "-backend", backend,
                               "-padding", padding, "-steps", str(args.steps))
                rates[backend].append(json.loads(speed)["backends"][0]["train_images_per_second"])
            print(f"padding {padding}: " + ", ".join(f"{name} {rate[-1]:.0f}" for name, rate in rates.items()), flush=True)
        report_speed(padding, rates, forms, backends)


def compiles(python):
    """Whether torch.compile works, which takes a C++ compiler and Python's headers."""
    command = [python, PYTORCH, "speed", "--form", "compiled", "--steps", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        error = next((line for line in done.stderr.splitlines() if "Error: " in line), done.stderr)
        print("Without torch.compile, which needs a C++ compiler and Python's headers"
              f" (Debian, Ubuntu: apt install g++ python3-dev): {error}", flush=True)
    return not done.returncode


def check_same(form, speed, first):
    """Ends this program where a form doesn't do what the first one did: its losses from the same weights and images differ."""
    same = speed["parameters"] == first["parameters"] and all(
        math.isclose(loss, other, rel_tol=1e-4) for loss, other in zip(speed["losses"], first["losses"], strict=True))
    if not same:
        sys.exit(f"error: {form} computes something else: {speed}, {first}")


def report_speed(padding, rates, forms, backends):
    """Medians, smallest and largest of the rates, and of their ratios to each form, round by round."""
    print(f"\npadding {padding}\n  {'':16}{'images/s':>24}" + "".join(f"{'ratio of ' + backend:>24}" for backend in backends))
    for name, values in rates.items():
        compared = [ratios(rates[backend], values) for backend in backends] if name in forms else []
        print(f"  {name:16}{spread(values, '.0f'):>24}" + "".join(f"{spread(each, '.2f'):>24}" for each in compared))
    strongest = max(forms, key=lambda form: median(rates[form]))
    print(f"  to the strongest PyTorch, {strongest}: " + ", ".join(
        f"{backend} {spread(ratios(rates[backend], rates[strongest]), '.2f')}" for backend in backends) + "\n", flush=True)


def ratios(ours, theirs):
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def spread(values, form):
    return f"{median(values):{form}} ({min(values):{form}} - {max(values):{form}})"


def compare_time(args):
    """Seconds from the start of a process to an accuracy, with the seeds 1, 2, ..."""
    data = os.environ.get("EMBEDSPACE_DATA")
    if not data or not Path(data, "mnist").is_dir():
        sys.exit("error: EMBEDSPACE_DATA must name a folder with MNIST's files in its folder mnist")
    for technique, (theirs, ours) in SCHEDULES.items():
        runs = {"PyTorch": [], "embedspace": []}
        for seed in range(1, args.rounds + 1):
            runs["PyTorch"].append(reaches(args.accuracy, [
                args.python, PYTORCH, "train", Path(data, "mnist"), "--form", FORM, "--technique", technique, "--seed", str(seed),
                "--epochs", str(theirs[0]), "--batch", str(theirs[1]), "--rate", str(theirs[2])]))
            with tempfile.TemporaryDirectory() as folder:
                runs["embedspace"].append(reaches(args.accuracy, [
                    args.embedspace, "train", "-dataset", "mnist", "-technique", technique, "-out", folder, "-seed", str(seed),
                    "-epochs", str(ours[0]), "-batch", str(ours[1]), "-set", f"learning-rate={ours[2]}"]))
            print(f"{technique}, seed {seed}: " + ", ".join(
                f"{name} {results[-1][0]:.1f} s {results[-1][1]:.2f} %" for name, results in runs.items()), flush=True)
        report_time(technique, args.accuracy, runs)


def reaches(accuracy, command):
    """Seconds until a process tells a test accuracy that is high enough, or its last one, and that accuracy."""
    started = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        lines, result = [], None
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"test +([0-9.]+) %", line):
                result = time.monotonic() - started, float(found[1])
                if result[1] >= accuracy:
                    process.kill()
                    return result
    if process.returncode or not result:
        sys.exit(f"error: {' '.join(map(str, command))}:\n{''.join(lines)}")
    return result


def report_time(technique, accuracy, runs):
    """Seconds of the seeds that reach the accuracy, how many do, and the mean accuracy of all."""
    print(f"\n{technique} to {accuracy:g} %\n  {'':12}{'s':>24}{'ratio to PyTorch':>24}{'seeds that reach it':>24}{'mean accuracy':>16}")
    for name, results in runs.items():
        seconds = [s for s, reached in results if reached >= accuracy]
        compared = [ours[0] / theirs[0] for ours, theirs in zip(results, runs["PyTorch"], strict=True)
                    if min(ours[1], theirs[1]) >= accuracy]
        print(f"  {name:12}{spread(seconds, '.1f') if seconds else '-':>24}{spread(compared, '.2f') if compared else '-':>24}"
              f"{f'{len(seconds)} of {len(results)}':>24}{mean(reached for _, reached in results):>16.2f}")
    print(flush=True)


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
