"""Draws a recording's sections over its spectrogram; `python sections.py song.mp3 song.png`.

Each `# %%` begins a cell of a notebook (VS Code and Jupytext read this file as one).
"""

# %%
import sys

from rtgenre import load_model

model = load_model()

# %%
verdict = model.classify(sys.argv[1])
print(verdict.genre, verdict.probabilities)

# %%
axes = verdict.plot()
axes.figure.savefig(sys.argv[2])
