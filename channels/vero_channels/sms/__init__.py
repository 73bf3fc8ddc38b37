"""Drivers that send text messages through a provider's HTTP API."""
