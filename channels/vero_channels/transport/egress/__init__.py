"""Sending through IP addresses of our own: which one, to which hosts, how fast, how well known."""
