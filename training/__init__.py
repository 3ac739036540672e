"""How the shipped models are made, from music on disk to ``models/<name>/``.

The steps, each a command (``python -m training.<step>``)::

    prepare, negatives -> train -> export -> evaluate
     mel_<split>.npz      runs/     models/    figures

``training`` may import ``rtgenre``, never the reverse.
"""
