"""What was taught while it played: the file that keeps it, and what is learnt from it."""
