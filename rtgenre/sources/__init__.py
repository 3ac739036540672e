"""Where the music comes from: devices, files, pipes and streams, all as one kind of source."""
