"""Synthetic images: which are drawn, which are kept, and how they are written and read; no Keras, no TensorFlow."""
