"""How the shipped models are made, from music on disk to ``models/<name>/``.

Each module here is a command (``python -m training.<command>``); rooms hold what they use::

    data ------> frontends ----> networks -----> scoring -----> release
    recordings   what hears      what is fitted  what judges    what ships

``crnn`` puts them together for the network that ships.
``training`` may import ``rtgenre``, never the reverse.
"""
