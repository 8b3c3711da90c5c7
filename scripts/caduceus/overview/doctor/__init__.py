"""Checks of this machine and this project, each with how to fix what is wrong."""
