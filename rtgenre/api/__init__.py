"""What programs in Python call; ``rtgenre`` itself exports it."""
