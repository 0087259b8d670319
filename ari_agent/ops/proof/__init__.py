"""What is true of this installation: the facts of `ari-agent report compliance`."""
