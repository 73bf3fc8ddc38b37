"""Differential tests: a template compiled once gives everyone what the plain pipeline gives."""
