"""Whether all is well: health, metrics and logs."""
