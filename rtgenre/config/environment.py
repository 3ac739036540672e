"""Settings from environment variables: ``RTGENRE_TABLE__KEY``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, get_origin

from pydantic_settings import EnvSettingsSource

from rtgenre.config.errors import ConfigError
from rtgenre.config.settings import ENVIRONMENT_PREFIX, Config

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_SEPARATOR = "__"


def read_environment() -> dict[str, Any]:
    """Return the tables that environment variables set.

    Variables without ``__`` are other programs': Kubernetes, for one, tells of a service named
    rtgenre by ``RTGENRE_PORT``.

    Raises:
        ConfigError: a variable names no table, or its value cannot be read.
    """
    tables = {name.upper() for name in Config.model_fields}
    variables = _variables()
    for variable in variables:
        table = variable[len(ENVIRONMENT_PREFIX) :].split(_SEPARATOR)[0]
        if table.upper() not in tables:
            raise ConfigError(
                f"the environment variable {variable} names no setting; they are written "
                f"{ENVIRONMENT_PREFIX}TABLE__KEY, for example {ENVIRONMENT_PREFIX}MQTT__HOST, "
                f"with the tables {', '.join(sorted(tables))}"
            )
    source = _Environment(Config)
    source.env_vars = {variable.lower(): os.environ[variable] for variable in variables}
    return dict(source())


def _variables() -> list[str]:
    return [
        variable
        for variable in sorted(os.environ)
        if variable.upper().startswith(ENVIRONMENT_PREFIX)
        and _SEPARATOR in variable[len(ENVIRONMENT_PREFIX) :]
    ]


class _Environment(EnvSettingsSource):
    """Takes lists as JSON, or with commas between their parts."""

    def decode_complex_value(self, field_name: str, field: FieldInfo | None, value: str) -> Any:
        """Read the text of a list or a table."""
        if field is not None and get_origin(field.annotation) not in {tuple, dict}:
            # Of settings that may be a list, a text may hold commas.
            try:
                return super().decode_complex_value(field_name, field, value)
            except RecursionError as error:
                raise ValueError(str(error)) from None
        if not value.lstrip().startswith(("[", "{")):
            return [part.strip() for part in value.split(",") if part.strip()]
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ConfigError(
                f"the environment variable {ENVIRONMENT_PREFIX}…__{field_name.upper()} = "
                f"{value[:40]!r} is not valid JSON: {error}; "
                "write names with commas between them, or JSON"
            ) from None
