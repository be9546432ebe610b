"""Shards of tiny images that hold their own number."""

import numpy as np

from synth.shard_formats import hash_file, write_shard
from synth.shards import save_manifest

SHAPE, LABELS = (2, 3, 1), (4, 9)


def write_shards(folder, suffix="npz", shards=4, rows=30):
    """Shards of class 4 and 9 in turn; each image holds its own number in its first two pixels."""
    entries = []
    for shard in range(shards):
        numbers = np.arange(shard * rows, (shard + 1) * rows)
        images = np.zeros((rows, *SHAPE), np.uint8)
        images[:, 0, 0, 0], images[:, 0, 1, 0] = numbers % 256, numbers // 256
        path = folder / f"shards/{LABELS[shard % 2]}/part-{shard:05d}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_shard(path, images, LABELS[shard % 2], np.zeros(rows))
        entries.append({"file": str(path.relative_to(folder)), "rows": rows, "sha256": hash_file(path)})
    known = {"class_names": ["ape", "bee"], "label_values": list(LABELS), "image_shape": list(SHAPE)}
    known |= {"data": "apes", "request": {"data": "mnist5k", "seed": 0}, "fingerprint": ""}
    save_manifest(folder, known | {"shards": entries, "complete": True})
    return folder
