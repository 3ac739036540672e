"""What goes out: documents, spectrogram columns, and the hubs that hand them on."""
