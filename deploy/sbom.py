"""Write what the image holds as a bill of materials, in CycloneDX's JSON, to standard output.

    python sbom.py /var/lib/dpkg/status

Run by the Python whose packages are meant; the file lists Debian's.
"""

from __future__ import annotations

import email
import importlib.metadata
import json
import sys
from pathlib import Path
from urllib.parse import quote

SERVICE = "rtgenre"


def python_component(package: importlib.metadata.Distribution) -> dict[str, object]:
    """Return a Python package as a component; its type is that of the service or of a library."""
    name, version = package.metadata["Name"], package.version
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}"
    component: dict[str, object] = {
        "type": "application" if name == SERVICE else "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
    }
    if expression := package.metadata.get("License-Expression"):
        component["licenses"] = [{"expression": expression}]
    return component


def debian_components(status: str) -> list[dict[str, object]]:
    """Return the installed packages of the text of dpkg's status file."""
    found = []
    for paragraph in status.strip().split("\n\n"):
        package = email.message_from_string(paragraph)
        if not package["Status"].endswith(" installed"):
            continue
        version = package["Version"]
        purl = (
            f"pkg:deb/debian/{quote(package['Package'])}@{quote(version, safe='')}"
            f"?arch={package['Architecture']}"
        )
        component = {"type": "library", "name": package["Package"], "version": version}
        found.append(component | {"bom-ref": purl, "purl": purl})
    return found


def model_components(folder: Path) -> list[dict[str, object]]:
    """Return the models that the service came with."""
    models = [json.loads(path.read_text()) for path in sorted(folder.glob("*/model.json"))]
    return [
        {"type": "machine-learning-model", "name": model["name"], "version": model["version"]}
        | {"bom-ref": f"model:{model['name']}@{model['version']}"}
        for model in models
    ]


def bill(status: str) -> dict[str, object]:
    """Return the whole document, the same for the same packages."""
    packages = sorted(importlib.metadata.distributions(), key=lambda one: one.metadata["Name"])
    python = [python_component(package) for package in packages]
    (service,) = (component for component in python if component["name"] == SERVICE)
    models = Path(str(importlib.metadata.distribution(SERVICE).locate_file(SERVICE))) / "models"
    libraries = [component for component in python if component is not service]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": service},
        "components": libraries + model_components(models) + debian_components(status),
    }


if __name__ == "__main__":
    print(json.dumps(bill(Path(sys.argv[1]).read_text(encoding="utf-8")), indent=1))
