"""Why this genre is shown and not that: predictions over time."""
