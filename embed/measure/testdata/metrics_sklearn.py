"""Writes metrics_sklearn.json: small embeddings with scikit-learn's silhouette_score and
davies_bouldin_score. Run it in this folder, with scikit-learn installed."""

import json

import numpy as np
import sklearn
from sklearn.metrics import davies_bouldin_score, silhouette_score

random = np.random.default_rng(1)


def case(name, z, labels):
    # Multiples of 1/64: exact in float32 and in decimals.
    z = np.round(np.asarray(z, dtype=np.float64) * 64) / 64
    return {
        "name": name,
        "dim": z.shape[1],
        "z": z.ravel().tolist(),
        "labels": [int(label) for label in labels],
        "silhouette": silhouette_score(z, labels),
        "davies_bouldin": davies_bouldin_score(z, labels),
    }


def clouds(n, dim, deviation, share):
    labels = random.choice(len(share), n, p=share)
    centers = random.normal(size=(len(share), dim))
    return centers[labels] + deviation * random.normal(size=(n, dim)), labels


cases = [
    case("1-D", *clouds(20, 1, 0.3, [0.5, 0.5])),
    case("2-D, apart", *clouds(30, 2, 0.05, [0.3, 0.3, 0.4])),
    case("2-D, one cloud", *clouds(30, 2, 5, [0.3, 0.3, 0.4])),
    case("3-D, unequal classes", *clouds(40, 3, 0.5, [0.7, 0.2, 0.05, 0.05])),
    case("16-D", *clouds(24, 16, 0.8, [0.25] * 4)),
    case("a class of one point", [[0, 0], [1, 0], [5, 5], [9, 0], [9, 2]], [0, 0, 1, 4, 4]),
    case("a grid, with equal points", random.integers(0, 3, size=(30, 2)), random.integers(0, 3, size=30)),
    case("classes that are points", [[0, 1], [0, 1], [3, 5], [3, 5], [3, 5]], [0, 0, 1, 1, 1]),
    case("two of three means equal", [[-1, 0], [1, 0], [0, -2], [0, 2], [7, 0], [9, 0]], [0, 0, 1, 1, 2, 2]),
]
with open("metrics_sklearn.json", "w") as file:
    text = json.dumps({"scikit-learn": sklearn.__version__, "by": "metrics_sklearn.py", "cases": cases}, indent=1)
    # One line for each array.
    for numbers in [c[key] for c in cases for key in ("z", "labels")]:
        text = text.replace(json.dumps(numbers, indent=1).replace("\n", "\n   "), json.dumps(numbers))
    file.write(text + "\n")
