"""What to say next: pure, without I/O."""
