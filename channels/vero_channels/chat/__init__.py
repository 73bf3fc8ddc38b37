"""Drivers that post to a chat channel through its incoming webhook."""
