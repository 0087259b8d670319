"""Trains the German encoder: corpus, callers' speech, network, calibration, evaluation."""
