"""Images in, images out, and what all scripts share; no Keras, no TensorFlow."""
