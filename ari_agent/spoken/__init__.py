"""Facts as people speak them in German: numbers, telephone numbers, spelled names, e-mail addresses; pure."""
