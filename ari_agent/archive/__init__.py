"""Recordings on the disk: sealed files, their keys in a folder apart, and how they are taken out and erased."""
