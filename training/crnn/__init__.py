"""How the CRNN is trained behind its ears; ``python -m training.train`` does it."""
