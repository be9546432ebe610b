"""Networks and their training; with tasks the only folder that imports Keras and TensorFlow."""
