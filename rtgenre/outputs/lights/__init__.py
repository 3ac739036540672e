"""What lamps are told."""
