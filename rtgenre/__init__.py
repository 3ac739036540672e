"""Real-time music genre recognition.

The data flows one way::

    source -> resample -> ring/windows -> features -> classifier -> smoothing -> hub -> outputs
     thread     pure         pure           pure        worker        pure       loop    loop

One such line runs per source; the classifier is shared. ``service/pipeline.py`` knows the stages,
``service/`` runs them; what is left of the hub knows nothing of what is right of it.

What programs may use is what ``__all__`` names; ``docs/api.md`` shows how.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtgenre.api.listening import Listening, listen
    from rtgenre.api.model import Model, WindowPrediction, load_model
    from rtgenre.config.errors import ConfigError
    from rtgenre.errors import RtgenreError, SamplesError
    from rtgenre.messages.documents import StateDocument
    from rtgenre.model.info import ModelError
    from rtgenre.sources.base import SourceError
    from rtgenre.sources.decoder import DecodeError
    from rtgenre.tagging.file_verdict import FileVerdict, Section
    from rtgenre.tracking.smoothing import TrackerParams

__version__ = "0.1.0"

__all__ = [
    "ConfigError",
    "DecodeError",
    "FileVerdict",
    "Listening",
    "Model",
    "ModelError",
    "RtgenreError",
    "SamplesError",
    "Section",
    "SourceError",
    "StateDocument",
    "TrackerParams",
    "WindowPrediction",
    "listen",
    "load_model",
]

_MODULES = {
    "ConfigError": "rtgenre.config.errors",
    "DecodeError": "rtgenre.sources.decoder",
    "FileVerdict": "rtgenre.tagging.file_verdict",
    "Listening": "rtgenre.api.listening",
    "Model": "rtgenre.api.model",
    "ModelError": "rtgenre.model.info",
    "RtgenreError": "rtgenre.errors",
    "SamplesError": "rtgenre.errors",
    "Section": "rtgenre.tagging.file_verdict",
    "SourceError": "rtgenre.sources.base",
    "StateDocument": "rtgenre.messages.documents",
    "TrackerParams": "rtgenre.tracking.smoothing",
    "WindowPrediction": "rtgenre.api.model",
    "listen": "rtgenre.api.listening",
    "load_model": "rtgenre.api.model",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used: numpy alone takes longer than all of this."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
