"""Who pushes to Apple: a team by its key, or an app by its certificate."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

from vero_channels.transport.apns_token import ProviderToken
from vero_deliver.secret import Secret


def provider_token(
    key: str | Secret,
    key_id: str,
    team_id: str,
    certificate: str | Path | None,
    clock: Callable[[], float],
) -> ProviderToken | None:
    """Signs for the team; None with a certificate. ValueError where it is neither or both."""
    if certificate:
        if key or key_id or team_id:
            raise ValueError("give key, key_id and team_id, or certificate, not both")
        return None
    if not (key and key_id and team_id):
        raise ValueError("give key, key_id and team_id, or certificate")
    try:
        return ProviderToken(key, key_id, team_id, clock)
    except ValueError as error:
        raise ValueError(f"key: {error}; it is the text of Apple's .p8 file") from None


def load_certificate(context: ssl.SSLContext, certificate: str | Path, password: str) -> None:
    """Show that certificate to the server. ValueError where it cannot be read."""
    try:
        # without a password OpenSSL would ask for one at the terminal
        context.load_cert_chain(certificate, password=lambda: password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        why = "no certificate with its private key in PEM, or another password"
        why = why if isinstance(error, ssl.SSLError) else getattr(error, "strerror", "") or why
        raise ValueError(f"certificate {certificate}: {why}") from None
