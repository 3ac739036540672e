"""A PulseAudio daemon of one's own: a null sink, whose monitor is the default input."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


class PrivatePulse:
    """Runs as any user, root too, without systemd; nothing of it is shared with another one."""

    def __init__(self) -> None:
        # Short, for a socket's path may have no more than 108 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="rtg-pulse-"))
        self._socket = self._folder / "socket"
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to play to, and record from, this daemon and no other."""
        folder = str(self._folder)
        return os.environ | {
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "XDG_CONFIG_HOME": folder,
            "PULSE_SERVER": f"unix:{self._socket}",
        }

    def start(self) -> None:
        self._socket.unlink(missing_ok=True)
        # Idle for two minutes, it ends by itself: a test run that was killed leaves none behind.
        self._daemon = subprocess.Popen(
            [
                *("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=120"),
                *("--use-pid-file=no", "--disable-shm=yes", "--log-target=null"),
                f"--load=module-native-protocol-unix socket={self._socket} auth-anonymous=1",
                "--load=module-null-sink sink_name=null",
            ],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_answers()

    def kill(self) -> None:
        if self._daemon is not None:
            self._daemon.send_signal(signal.SIGCONT)
            self._daemon.kill()
            self._daemon.wait()

    def stop_answering(self) -> None:
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def unload_sink(self) -> None:
        self._pactl("unload-module", "module-null-sink")

    def load_sink(self, *, rate_hz: int = 44100) -> None:
        self._pactl("load-module", "module-null-sink", "sink_name=null", f"rate={rate_hz}")

    def sink_rate_hz(self) -> int:
        command = ["pactl", "--format=json", "list", "sinks"]
        listed = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE)
        (sink,) = json.loads(listed.stdout)
        return int(re.search(r"(\d+)Hz", sink["sample_specification"]).group(1))

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        # With paplay's own two seconds the sink wakes as seldom, and who records spins until then.
        command = ["paplay", "--latency-msec=200", "--device=null", path]
        return subprocess.Popen(command, env=self.environment)

    def add_alsa_device(self, name: str, server: PrivatePulse) -> None:
        """Let this daemon's clients see another one's default input as an ALSA device."""
        (self._folder / ".asoundrc").write_text(
            f'pcm.{name} {{ type pulse server "unix:{server._socket}" '
            f'hint {{ show on description "{name}" }} }}\n'
        )

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _pactl(self, *arguments: str) -> None:
        subprocess.run(
            ["pactl", *arguments], env=self.environment, check=True, stdout=subprocess.DEVNULL
        )

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as client:
                if client.connect_ex(str(self._socket)) == 0:
                    break
            time.sleep(0.05)
        self._pactl("list", "short", "sinks")
