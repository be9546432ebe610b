"""Networks and their training: the only folder that imports Keras and TensorFlow."""
