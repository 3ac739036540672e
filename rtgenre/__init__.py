"""Real-time music genre recognition.

The data flows one way::

    source -> resample -> ring/windows -> features -> classifier -> smoothing -> hub -> outputs
     thread     pure         pure           pure        worker        pure       loop    loop

One such line runs per source; the classifier is shared. ``pipeline.py`` knows the stages,
``service.py`` runs them; what is left of the hub knows nothing of what is right of it.
"""

__version__ = "0.1.0"
