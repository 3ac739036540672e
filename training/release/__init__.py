"""What ships: the run's record, TFLite, the card and its plots."""
