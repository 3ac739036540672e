"""Where model folders are: shipped ones in the package, own ones in the user's data folder."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from platformdirs import user_data_path

from rtgenre.model.info import FILE_NAME, ModelError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def find_model_folder(name_or_path: str) -> Path:
    """Find a model folder by path, or by the name of a shipped or an own one.

    Raises:
        ModelError: there is none, and the message lists those that have a name; or this user may
            not look where it would be.
    """
    with suppress(RuntimeError):  # there is no such user, whose home that would be
        name_or_path = str(Path(name_or_path).expanduser())
    path = Path(name_or_path)
    try:
        if path.is_dir():
            return path
        named = shipped_models()
        if name_or_path not in named:
            named = {**own_models(), **named}
    except OSError as error:
        raise ModelError(
            f"the model {name_or_path!r} cannot be looked for: {error.filename}: {error.strerror}"
        ) from error
    if name_or_path in named:
        return named[name_or_path]
    raise ModelError(
        f"no model folder {name_or_path!r}; models: {', '.join(sorted(named)) or 'none'}, "
        "or give the path of a folder that holds model.json"
    )


def shipped_models() -> dict[str, Path]:
    """Return the folders of the models that came with the program, by name."""
    package = Path(__file__).resolve().parents[1]
    # An installed wheel carries the models inside the package, a checkout beside it.
    return {**_models_in(package.parent / "models"), **_models_in(package / "models")}


def own_models() -> dict[str, Path]:
    """Return the folders of the models that ``rtgenre learn`` made, by name."""
    return _models_in(own_models_folder())


def own_models_folder() -> Path:
    """Return where ``rtgenre learn`` puts models; it need not exist."""
    return user_data_path("rtgenre", appauthor=False) / "models"


def new_model_folder(name: str) -> Path:
    """Return where an own model of this name belongs.

    Raises:
        ModelError: a model cannot be called so, or a shipped one is.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"a model cannot be called {name!r}: 1 to 64 letters, digits, '-' or '_' are allowed, "
            "the first one a letter or digit"
        )
    if name in shipped_models():
        raise ModelError(f"the name {name!r} is that of a shipped model; choose another one")
    return own_models_folder() / name


def _models_in(root: Path) -> dict[str, Path]:
    found = (file.parent for file in sorted(root.glob(f"*/{FILE_NAME}")))
    # Hidden ones are half written, or what a killed process left behind.
    return {folder.name: folder for folder in found if not folder.name.startswith(".")}
