"""What is trained on what the ears hear, and the networks from scratch beside it."""
