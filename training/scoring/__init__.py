"""What judges: windows, recordings, and what a viewer sees live."""
