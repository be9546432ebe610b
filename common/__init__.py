"""What all scripts share: options, files, errors, progress, runs, workers; no Keras, no TensorFlow."""

import sys

__version__ = "0.2.0.dev0"

if not (3, 11) <= sys.version_info[:2] <= (3, 13):  # here, as the scripts import this before what would fail
    sys.exit(f"Python 3.11, 3.12 or 3.13 is needed. This is {sys.version.split()[0]}.")
