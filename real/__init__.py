"""Real images, from any file or folder: reading, labels, parts; no Keras, no TensorFlow."""
