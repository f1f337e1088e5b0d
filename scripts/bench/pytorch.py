"""The paper's network in PyTorch, as the counterpart of embedspace:

pytorch.py speed [--form F] [--padding P] [--batch N] [--steps N] [--device D]
    measures training steps and inference on noise of MNIST's shape; one JSON line
pytorch.py train FOLDER [--form F] [--technique T] [--padding P] [--epochs N] [--rate R] [--seed N]
    trains on the MNIST files of a folder; one line with the test accuracy per epoch
"""

import argparse
import ctypes
import gzip
import json
import math
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


class Form(NamedTuple):
    """A way to write the same training. All compute the same but for rounding."""

    pooling_first: bool = True  # relu after the pooling, where a quarter of the elements is left
    fused: bool = True  # Adam as one kernel
    compiled: bool = False  # network and loss by torch.compile
    keeps_memory: bool = False  # see keep_freed_memory


FORMS = {
    "relu-first": Form(pooling_first=False, fused=False),
    "pooling-first": Form(fused=False),
    "fused-adam": Form(),
    "compiled": Form(compiled=True),
    "keeps-memory": Form(keeps_memory=True),
}


def keep_freed_memory():
    """Tells glibc to keep what is freed, as embed/backends/malloc_glibc.go does for XLA."""
    mallopt = ctypes.CDLL(None).mallopt
    for option, value in (-4, 0), (-1, 2**31 - 1), (-2, 64 << 20):  # M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD
        mallopt(option, value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in ("speed", speed), ("train", train):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--padding", choices=["valid", "same"], default="valid")
        command.add_argument("--form", choices=FORMS, default="fused-adam")
        command.add_argument("--batch", type=int, default=128)
    commands.choices["speed"].add_argument("--steps", type=int, default=100)
    commands.choices["speed"].add_argument("--device", default="cpu", help="cpu or cuda; the images are in the computer's memory before each step")
    command = commands.choices["train"]
    command.add_argument("folder", type=Path)
    command.add_argument("--technique", choices=["softmax", "contrastive", "center"], default="softmax")
    command.add_argument("--epochs", type=int, default=5)
    command.add_argument("--rate", type=float, default=0.004)
    command.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    args.form = FORMS[args.form]
    if args.form.keeps_memory:
        keep_freed_memory()
    args.run(args)


def extractor(padding, form):
    """Conv(32) - Pool - Conv(64) - Pool - Conv(128) - FC(256) - FC(2), initialized as embedspace's."""
    side = {"valid": 3, "same": 7}[padding]

    def pool():
        layers = nn.ReLU(), nn.MaxPool2d(2)
        return reversed(layers) if form.pooling_first else layers

    network = nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=padding), *pool(),
        nn.Conv2d(32, 64, 3, padding=padding), *pool(),
        nn.Conv2d(64, 128, 3, padding=padding), nn.ReLU(), nn.Flatten(),
        nn.Linear(128 * side * side, 256), nn.ReLU(), nn.Linear(256, 2),
    ).to(memory_format=torch.channels_last)
    *hidden, embedding = (layer for layer in network if isinstance(layer, (nn.Conv2d, nn.Linear)))
    for layer in hidden:
        nn.init.kaiming_normal_(layer.weight)
    nn.init.xavier_normal_(embedding.weight)
    for layer in *hidden, embedding:
        nn.init.zeros_(layer.bias)
    return network


def pixels(images):
    """Bytes [batch, 1, 28, 28] as numbers from 0 to 1."""
    return (images.to(torch.float32) / 255).contiguous(memory_format=torch.channels_last)


def training_step(network, head, optimizer, form):
    """The function that does one step on images and labels, and returns its loss."""

    def forward(images, labels):
        return head(network(pixels(images)), labels)

    if form.compiled:
        forward = torch.compile(forward)

    def step(images, labels):
        optimizer.zero_grad(set_to_none=True)
        loss = forward(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


WARM_UP = 5  # steps that are not timed


def speed(args):
    torch.manual_seed(1)
    network, head = extractor(args.padding, args.form).to(args.device), Softmax().to(args.device)
    parameters = [*network.parameters(), *head.parameters()]
    step = training_step(network, head, torch.optim.Adam(parameters, lr=1e-3, fused=args.form.fused), args.form)
    images = torch.randint(0, 256, (args.batch, 1, 28, 28), dtype=torch.uint8)
    labels = torch.arange(args.batch) % 10

    def train():
        return step(images.to(args.device), labels.to(args.device))

    @torch.inference_mode()
    def infer():
        network(pixels(images.to(args.device))).cpu()

    result = {
        "backend": f"PyTorch {torch.__version__}", "batch": args.batch, "padding": args.padding,
        "parameters": sum(p.numel() for p in parameters),
        "losses": [train() for _ in range(WARM_UP)],
    }
    for _ in range(WARM_UP):
        infer()
    for name, run in ("train", train), ("inference", infer):
        started = time.perf_counter()
        for _ in range(args.steps):
            run()
        seconds = time.perf_counter() - started
        result[f"{name}_images_per_second"] = args.steps * args.batch / seconds
    result["ms_per_step"] = 1000 * args.batch / result["train_images_per_second"]
    print(json.dumps(result))


class Softmax(nn.Module):
    """The last layer and its loss. The largest logit decides."""

    def __init__(self, bias=True):
        super().__init__()
        self.last = nn.Linear(2, 10, bias=bias)

    def forward(self, z, labels):
        return F.cross_entropy(self.last(z), labels)

    def classify(self, z, reference, reference_labels):
        return self.last(z).argmax(1)


class Center(Softmax):
    """Softmax, and lambda/2 ||z - c||^2 to centers that are running means."""

    def __init__(self, strength=0.1, alpha=0.5):
        super().__init__(bias=False)
        self.strength, self.alpha = strength, alpha
        self.register_buffer("centers", torch.zeros(10, 2))

    def forward(self, z, labels):
        pull = self.strength / 2 * (z - self.centers[labels]).square().sum(1).mean()
        with torch.no_grad():
            one_hot = F.one_hot(labels, 10).to(z.dtype)
            count = one_hot.sum(0)[:, None]
            means = one_hot.T @ z / count.clamp(min=1)
            self.centers += self.alpha * (count > 0) * (means - self.centers)
        return super().forward(z, labels) + pull


class Contrastive(nn.Module):
    """All pairs of the batch, with margin 1. The nearest class mean decides."""

    def forward(self, z, labels):
        distance = F.pdist(z)
        i, j = torch.triu_indices(len(z), len(z), 1)
        push = (1 - distance).clamp(min=0)
        return torch.where(labels[i] == labels[j], distance, push).square().mean() / 2

    def classify(self, z, reference, reference_labels):
        means = torch.stack([reference[reference_labels == k].mean(0) for k in range(10)])
        return torch.cdist(z, means).argmin(1)


def train(args):
    torch.manual_seed(args.seed)
    images, labels = mnist(args.folder, "train")
    test, test_labels = mnist(args.folder, "t10k")
    network = extractor(args.padding, args.form)
    head = {"softmax": Softmax, "contrastive": Contrastive, "center": Center}[args.technique]()
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=args.rate, fused=args.form.fused)
    step = training_step(network, head, optimizer, args.form)
    steps = len(images) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, args.rate, total_steps=args.epochs * steps + 1, pct_start=0.25)

    @torch.inference_mode()
    def embed(images):
        return torch.cat([network(pixels(part)) for part in images.split(1000)])

    for epoch in range(args.epochs):
        order = torch.randperm(len(images))
        for batch in order[: steps * args.batch].split(args.batch):
            loss = step(images[batch], labels[batch])
            schedule.step()
            if not math.isfinite(loss):
                raise SystemExit(f"the loss is {loss} in epoch {epoch + 1}")
        with torch.inference_mode():
            reference = embed(images[:10000]) if args.technique == "contrastive" else None
            right = head.classify(embed(test), reference, labels[:10000]) == test_labels
        print(f"epoch {epoch + 1}/{args.epochs}: test {100 * right.float().mean().item():.2f} %", flush=True)


def mnist(folder, part):
    """Images [n, 1, 28, 28] and labels [n]."""
    return (idx(folder / f"{part}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28),
            idx(folder / f"{part}-labels-idx1-ubyte", 8).to(torch.int64))


def idx(path, header):
    """The bytes of an IDX file, gzipped or not, after its header."""
    packed = path.with_name(path.name + ".gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).copy())


if __name__ == "__main__":
    main()
