"""TLS for DICOM connections (PS3.15 B.12: version 1.2 or later, certificates checked)."""

import socket
import ssl
from pathlib import Path
from typing import Any

from cxrmodel.configuration.secret import check_secret
from cxrmodel.errors import SettingError


class _ServerContext(ssl.SSLContext):
    """Shakes hands with a client when its first bytes are read, on a thread of its own.

    The server's library would do so where it accepts connections: one client that says nothing would stop all others.
    """

    def wrap_socket(self, sock: socket.socket, *args: Any, **options: Any) -> ssl.SSLSocket:
        """Encrypt a connection."""
        return super().wrap_socket(sock, *args, **{**options, "do_handshake_on_connect": False})


def server_tls(certificate: Path, key: Path, ca: Path | None) -> ssl.SSLContext:
    """TLS of a server; with ``ca``, clients must show a certificate that it signs.

    Raises
    ------
    SettingError
        When a file cannot be used, or others may read the key.
    """
    context = _ServerContext(ssl.PROTOCOL_TLS_SERVER)
    if ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return _loaded(context, certificate, key, ca)


def client_tls(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """TLS of a client, which checks the server's certificate and name: against ``ca``, or against the system's.

    Raises
    ------
    SettingError
        As ``server_tls``.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if ca is None:
        context.load_default_certs()
    return _loaded(context, certificate, key, ca)


def _loaded(context: ssl.SSLContext, certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if certificate is not None and key is not None:
            check_secret(key)
            context.load_cert_chain(certificate, key)
        if ca is not None:
            context.load_verify_locations(ca)
    except OSError as error:  # an SSLError is one
        raise SettingError("exchange.certificate", reason=error.strerror or type(error).__name__) from error
    return context
