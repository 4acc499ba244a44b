"""One file per shipped checkpoint: this world, this model, this training."""
