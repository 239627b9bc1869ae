"""What holds whoever asks: no HTTP here."""
