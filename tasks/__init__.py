"""What the scripts do, from values that are resolved to files: generation, studies, balancing."""
