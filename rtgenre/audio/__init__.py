"""What happens to samples: resampled, kept in a ring, cut into windows, drawn as columns."""
