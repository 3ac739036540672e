"""What was heard: stretches of one genre, kept in SQLite, read back as tables and pictures."""
