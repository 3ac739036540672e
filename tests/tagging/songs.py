"""Real files with tags, made by ffmpeg."""

import subprocess

import soundfile


def song(path, samples, rate_hz=22050, **tags):
    """Write samples to a file whose ending says how, with tags, and return its path."""
    if path.suffix == ".wav" and not tags:
        soundfile.write(path, samples, rate_hz)
        return path
    raw = samples.astype("<f4").tobytes()
    source = ["-f", "f32le", "-ar", str(rate_hz), "-ac", "1", "-i", "-"]
    metadata = [part for name, text in tags.items() for part in ("-metadata", f"{name}={text}")]
    if path.suffix == ".aiff":
        metadata += ["-write_id3v2", "1"]
    command = ["ffmpeg", "-v", "error", "-y", *source, *metadata, str(path)]
    subprocess.run(command, input=raw, check=True)
    return path
