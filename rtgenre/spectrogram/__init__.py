"""What the detector hears, column by column, for those who look."""
