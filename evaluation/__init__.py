"""Numbers, tables and figures of how near images are to real ones; no Keras, no TensorFlow."""
