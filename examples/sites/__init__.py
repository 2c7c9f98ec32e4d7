"""Whole federations on one machine, as commands."""
