"""What the model hears, what it is, and how it runs."""
