"""Does the generator repeat its training images? The nearest ones, with held-out real images as the baseline."""

from dataclasses import dataclass

import numpy as np

from synth.statistics import compute_rank_probability

_CHUNK_BYTES = 256 * 2**20  # of training images that are searched at once
_CLOSE_QUANTILE = 0.01
_MEMORISED = 10 * _CLOSE_QUANTILE


@dataclass(frozen=True)
class Memorisation:
    """Distances (RMS grey levels) from synthetic [n] and held-out real images [m] to their nearest training images.

    nearest: index [n] of the training image that is nearest to each synthetic one.
    """

    distances: np.ndarray
    nearest: np.ndarray
    held_out_distances: np.ndarray

    def summarise(self, chosen=slice(None), held_out_chosen=slice(None)):
        """Return the statistics (a dict) of all images, or of those that two masks choose.

        ratio: median distance of the synthetic images over that of the held-out ones; below 1 they are nearer to the
        training images than new real images are. closer_probability: of a synthetic image being nearer than a held-out
        one (0.5: alike; Mann and Whitney's U). near_share: synthetic images nearer than all but 1 % of the held-out
        ones; 0.01 is expected of new images. copies: synthetic images that equal a training image.
        """
        distances, held_out = self.distances[chosen], self.held_out_distances[held_out_chosen]
        median, held_out_median = float(np.median(distances)), float(np.median(held_out))
        near_share = float((distances < np.quantile(held_out, _CLOSE_QUANTILE)).mean())
        return {
            "images": len(distances),
            "held_out_images": len(held_out),
            "median_distance": median,
            "held_out_median_distance": held_out_median,
            "ratio": median / held_out_median if held_out_median else None,
            "closer_probability": compute_rank_probability(distances, held_out),
            "near_share": near_share,
            "copies": int((distances == 0).sum()),
            "memorised": bool(near_share > _MEMORISED),
        }

    def find_closest(self, labels, count):
        """Return the indices [count] of the images nearest to a training image, taking the classes in turn."""
        order = np.argsort(self.distances, kind="stable")
        turn = np.empty(len(order), np.int64)  # how many of the same class are nearer
        for k in np.unique(labels):
            members = order[labels[order] == k]
            turn[members] = np.arange(len(members))
        return np.lexsort((self.distances, turn))[:count]


def find_nearest(images, others):
    """Return (distance in RMS grey levels [n], index [n]) of the image in `others` nearest to each of `images`."""
    from sklearn.neighbors import NearestNeighbors

    queries = images.reshape(len(images), -1).astype(np.float32)
    best, index = np.full(len(images), np.inf), np.zeros(len(images), np.int64)
    step = max(1, _CHUNK_BYTES // (4 * queries.shape[1]))
    for start in range(0, len(others), step):
        chunk = others[start : start + step].reshape(-1, queries.shape[1]).astype(np.float32)
        found = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(chunk).kneighbors(queries, return_distance=False)
        # Exact distances of the ones found: the search rounds, and a copy should be at 0.
        distances = np.linalg.norm(queries - chunk[found[:, 0]], axis=1) / queries.shape[1] ** 0.5
        nearer = distances < best
        best[nearer], index[nearer] = distances[nearer], start + found[nearer, 0]
    return best, index


def describe_memorisation(summary):
    """Return one sentence on a Memorisation's summary."""
    share, copies = summary["near_share"], summary["copies"]
    facts = (
        f"{share:.1%} of {summary['images']:,} images are nearer to a training image than all but 1 % of "
        f"{summary['held_out_images']:,} held-out real images are; {copies:,} are exact copies"
    )
    if summary["memorised"]:
        return f"memorised: {facts}."
    return f"no sign of memorisation: {facts}."
