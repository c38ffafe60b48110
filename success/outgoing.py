"""Calls to addresses that somebody typed in: https, to the public internet alone, checked on the address that is connected to. No redirects."""

import http.client
import socket
import ssl
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT = 5.0
INSIDE = [
    ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
        "fc00::/7", "fe80::/9", "ff00::/8",
    )
]  # fmt: skip


class NotSent(Exception):
    """Nothing was sent: the address is not allowed, or nobody is there."""


class NotKnown(Exception):
    """It was sent, and no answer came."""


def is_inside(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in INSIDE if network.version == address.version)


def public_address(host: str, port: int) -> str:
    """The one address that is connected to. Raises NotSent."""
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise NotSent("There is no such host.") from None
    addresses = [ip_address(one.partition("%")[0]) for one in found]
    if not addresses or (any(is_inside(one) for one in addresses) and not settings.OUTGOING_INSIDE):
        raise NotSent("The host is inside, or not on the internet.")
    return str(addresses[0])


class To(http.client.HTTPConnection):
    """A connection to an address that was looked at, whatever the name would lead to by now."""

    def __init__(self, host: str, port: int, *, address: str, secure: bool) -> None:
        super().__init__(host, port, timeout=TIMEOUT)
        self.address, self.secure = address, secure

    def connect(self) -> None:
        self.sock = socket.create_connection((self.address, self.port), TIMEOUT)
        if self.secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def post(url: str, body: bytes, *, headers: Mapping[str, str]) -> int:
    """The status of the answer.

    Raises:
        NotSent, NotKnown: there is none.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    if not parts.hostname or not (secure or (parts.scheme == "http" and settings.OUTGOING_INSIDE)):
        raise NotSent("The address does not begin with https://.")
    port = parts.port or (443 if secure else 80)
    connection = To(parts.hostname, port, address=public_address(parts.hostname, port), secure=secure)
    try:
        connection.connect()
    except OSError as error:
        raise NotSent(f"No connection: {type(error).__name__}.") from None
    try:
        connection.request("POST", f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", body, dict(headers))
        return int(connection.getresponse().status)
    except (OSError, http.client.HTTPException) as error:
        raise NotKnown(f"No answer: {type(error).__name__}.") from None
    finally:
        connection.close()
