"""What the scripts do, from resolved values to files: generation, prediction, evaluation, studies, balancing."""
