"""Build the container image without Docker, start it as compose.yaml does, and look at what it is.

    python -m scripts.image [amd64] [arm64]

As root, with podman, runc and mmdebstrap; arm64 on another processor needs qemu-user-static and
binfmt-support. The base is made from Debian's packages, since a registry may be out of reach:
``--base`` names another one, and ``--base ''`` takes the one that the Dockerfile pins.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import shutil
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from scripts.addon import build_addon
from scripts.arm_processors import PROCESSORS
from scripts.release import ReleaseError, version_of

ROOT = Path(__file__).parent.parent
WORK = ROOT / "build" / "image"
LIMIT_MB = 250
PLATFORMS = {"x86_64": "amd64", "aarch64": "arm64"}
# Home Assistant's words for the same.
ASSISTANTS = {"amd64": "amd64", "arm64": "aarch64"}
DEMO = "/opt/rtgenre/lib/python3.13/site-packages/rtgenre/demo/jazz.ogg"
LABELS = [
    f"org.opencontainers.image.{name}"
    for name in ("title", "description", "version", "licenses", "base.name")
]
OPEN_PULSE = """
import ctypes, os
os.dup2(1, 2)
alsa = ctypes.CDLL("libasound.so.2")
alsa.snd_pcm_open(ctypes.byref(ctypes.c_void_p()), b"pulse", 1, 0)
"""
SBOM = "/opt/rtgenre/sbom.cdx.json"
# As in compose.yaml; and no network, so that nothing of this machine is in the way.
CONFINED = ["--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges"]
CONFINED += ["--network=none", "--memory=512m", "--pids-limit=256", "--no-healthcheck"]
# podman's own limits are higher than root may set inside another container.
CONFINED += ["--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096"]
# What debian:trixie-slim leaves out.
SLIM = [
    f"--dpkgopt=path-exclude=/usr/share/{folder}/*"
    for folder in ("doc", "groff", "info", "lintian", "locale", "man")
] + ["--dpkgopt=path-include=/usr/share/doc/*/copyright"]


class ImageError(Exception):
    """What is wrong with the image, or missing to build it."""


def podman_command(*arguments: str) -> list[str]:
    """Return the command that lets podman work on images of its own."""
    command = ["podman", "--root", str(WORK / "storage"), "--runroot", str(WORK / "run")]
    return [*command, "--cgroup-manager=cgroupfs", "--runtime=runc", *arguments]


def podman(*arguments: str) -> str:
    """Run podman; return what it printed.

    Raises:
        ImageError: it failed; it has said why.
    """
    command = podman_command(*arguments)
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise ImageError(f"podman {' '.join(arguments[:2])} … ended with {result.returncode}")
    return result.stdout.strip()


def confined(tag: str) -> list[str]:
    """Return the options of a container as compose.yaml has it, on a processor that exists.

    Where QEMU may choose what it emulates it takes one that knows SME, and of that makes numbers
    that are none (7.2).
    """
    if tag.rpartition(":")[2] == PLATFORMS.get(platform.machine()):
        return CONFINED
    processor = PROCESSORS[0]
    description = WORK / "cpuinfo"
    description.write_text(processor.description(), encoding="utf-8")
    emulated = [f"--env=QEMU_CPU={processor.name}", f"--volume={description}:/proc/cpuinfo:ro"]
    return [*CONFINED, *emulated]


def run(tag: str, *command: str, entrypoint: str = "rtgenre") -> str:
    """Run a command in a container that is confined as in compose.yaml; return what it printed."""
    return podman("run", "--rm", *confined(tag), f"--entrypoint={entrypoint}", tag, *command)


def make_base(architecture: str) -> str:
    """Make Debian's smallest system where it is not there yet; return the image's name."""
    tag = f"localhost/debian-trixie:{architecture}"
    if not podman("images", "--quiet", tag):
        print(f"Making a base of Debian's packages for {architecture} …", flush=True)
        tar = WORK / f"debian-{architecture}.tar"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--architectures={architecture}"]
        subprocess.run([*command, *SLIM, "trixie", str(tar)], check=True)
        podman("import", "--quiet", f"--arch={architecture}", str(tar), tag)
        tar.unlink()
    return tag


def trust() -> list[str]:
    """Return the options that let pip trust what this machine trusts, as in a company's network."""
    trusted = Path("/etc/ssl/certs/ca-certificates.crt")
    if not trusted.exists():
        return []
    folder = WORK / "pip"
    folder.mkdir(exist_ok=True)
    shutil.copy(trusted, folder / "trusted.crt")
    (folder / "pip.conf").write_text("[global]\ncert = /root/.pip/trusted.crt\n")
    return [f"--volume={folder}:/root/.pip:ro"]


def build(name: str, folder: Path, dockerfile: Path, architecture: str, *options: str) -> str:
    """Build an image as `docker build` does; return its name with what it is for."""
    tag = f"localhost/{name}:{architecture}"
    print(f"Building {dockerfile.relative_to(ROOT)} for {architecture} …", flush=True)
    how = ["--isolation=chroot", "--format=docker", "--quiet", f"--platform=linux/{architecture}"]
    ignored = dockerfile.with_suffix(".dockerignore")
    if ignored.exists():
        how.append(f"--ignorefile={ignored}")
    named = [f"--tag={tag}", f"--file={dockerfile}", str(folder)]
    podman("build", *how, *trust(), *options, *named)
    return tag


def inspect(tag: str) -> Any:
    """Return what podman knows of an image."""
    (image,) = json.loads(podman("image", "inspect", tag))
    return image


def packed_mb(tag: str) -> float:
    """Return what a registry would have to send of an image."""
    size, packing = 0, zlib.compressobj()
    with subprocess.Popen(podman_command("save", "--quiet", tag), stdout=subprocess.PIPE) as saving:
        assert saving.stdout is not None
        while block := saving.stdout.read(1 << 20):
            size += len(packing.compress(block))
    return (size + len(packing.flush())) / 1e6


def check_papers(tag: str) -> str:
    """Look at size, labels, user and bill of materials; return them in words.

    Raises:
        ImageError: something is missing, too large, or root's.
    """
    image = inspect(tag)
    labels = image["Labels"] or {}
    missing = [name for name in LABELS if not labels.get(name)]
    if missing:
        raise ImageError(f"the image has no label {', '.join(missing)}")
    if run(tag, "--user", entrypoint="id") == "0":
        raise ImageError("the image runs as root; it should have a USER of its own")
    said = run(tag, "--version")
    if said != f"rtgenre {labels['org.opencontainers.image.version']}":
        raise ImageError(f"the image holds {said}; its label says another version")
    components = json.loads(run(tag, SBOM, entrypoint="cat"))["components"]
    size_mb = image["Size"] / 1e6
    if size_mb > LIMIT_MB:
        raise ImageError(f"the image has {size_mb:.0f} MB; allowed are {LIMIT_MB}")
    packed = packed_mb(tag)
    return f"{size_mb:.0f} MB, {packed:.0f} MB packed, {len(components)} components in its bill"


def check_work(tag: str) -> str:
    """Let it name the genre of a file, and run as a service; return both in words.

    Raises:
        ImageError: it hears something else than jazz, writes where it must not, or gets not well.
    """
    (line,) = run(tag, "classify", "--json", DEMO).splitlines()
    if (heard := json.loads(line)["genre"]) != "jazz":
        raise ImageError(f"it hears {heard} in {DEMO}")
    writing = "touch /tmp/x /var/lib/rtgenre/x && ! touch /etc/rtgenre/x 2>/dev/null && echo right"
    if run(tag, "-c", writing, entrypoint="sh") != "right":
        raise ImageError("it should be able to write in its own folders only")
    begun = time.monotonic()
    token = f"--env=RTGENRE_WEBSOCKET__TOKEN={secrets.token_urlsafe()}"
    container = podman("run", "--detach", *confined(tag), token, tag, "demo", "--quiet")
    try:
        wait_until_healthy(container, inspect(tag)["Healthcheck"]["Test"][1:])
        took = time.monotonic() - begun
        podman("stop", "--time=20", container)
        code = podman("inspect", "--format={{.State.ExitCode}}", container)
    finally:
        podman("rm", "--force", "--volumes", container)
    if code != "0":
        raise ImageError(f"after a stop it ended with {code}")
    return f"hears {heard} in a file; as a service healthy after {took:.1f} s"


def wait_until_healthy(container: str, check: list[str], seconds: float = 180) -> None:
    """Let the image's own check ask /healthz until it is content.

    Raises:
        ImageError: the service ended, or got not well in time.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if podman("inspect", "--format={{.State.Status}}", container) != "running":
            raise ImageError(f"the service ended: {podman('logs', container)}")
        asked = subprocess.run(
            podman_command("exec", container, *check), check=False, capture_output=True
        )
        if asked.returncode == 0:
            return
        time.sleep(0.5)
    raise ImageError(f"not healthy after {seconds:.0f} s: {podman('logs', container)}")


def check_app(tag: str) -> str:
    """Look at Home Assistant's app: it hears, its ffmpeg answers, and ALSA can use PulseAudio.

    Raises:
        ImageError: one of them does not work.
    """
    (line,) = run(tag, "classify", "--json", DEMO).splitlines()
    run(tag, "-version", entrypoint="ffmpeg")
    # Without a PulseAudio here, that is what the plugin complains of.
    said = run(tag, "-c", OPEN_PULSE, entrypoint="python")
    if "Connection refused" not in said:
        raise ImageError(f"ALSA cannot use PulseAudio in Home Assistant's app: {said}")
    heard, size_mb = json.loads(line)["genre"], inspect(tag)["Size"] / 1e6
    return f"hears {heard} in a file, has PulseAudio and ffmpeg, {size_mb:.0f} MB"


def try_all(architecture: str, base: str | None) -> None:
    """Build and try both images for an architecture.

    Raises:
        ImageError: what is wrong with them.
        subprocess.CalledProcessError: the base could not be made; mmdebstrap has said why.
    """
    base = make_base(architecture) if base is None else base
    on = ["--pull=never", f"--build-arg=BASE={base}"] if base else []
    tag = build("rtgenre", ROOT, ROOT / "deploy" / "Dockerfile", architecture, *on)
    print(f"{architecture}: {check_papers(tag)}", flush=True)
    print(f"{architecture}: {check_work(tag)}", flush=True)
    app = build_addon()
    on += [f"--build-arg=BUILD_VERSION={version_of(ROOT)}"]
    on += [f"--build-arg=BUILD_ARCH={ASSISTANTS[architecture]}"]
    tag = build("rtgenre-app", app, app / "Dockerfile", architecture, *on)
    print(f"{architecture}: Home Assistant's app: {check_app(tag)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the container images and try them")
    here = PLATFORMS.get(platform.machine(), platform.machine())
    parser.add_argument("architectures", nargs="*", metavar="amd64|arm64", default=[here])
    parser.add_argument("--base", help="the image to build on; '' is the one that is pinned")
    options = parser.parse_args()
    missing = [name for name in ("podman", "runc", "mmdebstrap") if shutil.which(name) is None]
    if missing:
        raise ImageError(f"{' and '.join(missing)} not found: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise ImageError("containers are built and started as root here; use sudo")
    WORK.mkdir(parents=True, exist_ok=True)
    for architecture in options.architectures:
        try_all(architecture, options.base)


if __name__ == "__main__":
    try:
        main()
    except (ImageError, ReleaseError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
