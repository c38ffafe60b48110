"""TCP ports of the loopback address."""

import socket

from config.local.checkout import Problem, say

LOOPBACK = "127.0.0.1"
USUAL_PORT = 8000


def free_port() -> int:
    """A port that was free a moment ago; another process may still be faster."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


class Reservation:
    """A port held for our own web server from now on.

    Granian shares ports (SO_REUSEPORT), so two checkouts that chose the same one would answer each other's requests and
    never know. A socket that is bound but does not listen keeps it: bound without sharing, which fails if anybody is
    there, and opened to sharing afterwards, which lets in only programs of the same user that ask for it.
    """

    def __init__(self, port: int = 0) -> None:
        """Hold the port, or with 0 any free one. Raises OSError where someone has it."""
        self._socket = socket.socket()
        try:
            if port and answers(port):  # macOS would bind beside a server on all addresses
                raise OSError(f"port {port} answers")
            # Lets us follow our own last run, whose closed connections linger; a port somebody listens on stays refused.
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((LOOPBACK, port))
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError:
            self._socket.close()
            raise
        self.port = int(self._socket.getsockname()[1])

    def release(self) -> None:
        self._socket.close()


def reserve_beside(port: int) -> Reservation:
    """The port behind this one, which pages that were written yesterday still know, or any free one where that is taken."""
    try:
        return Reservation(port + 1)
    except (OSError, OverflowError):
        return Reservation()


def reserve_web_port(asked: str) -> Reservation:
    """The port that was asked for and no other; unasked, the usual one, or any free one where that is taken."""
    if asked and not (asked.isdecimal() and 0 < int(asked) < 65_536):
        raise Problem(f"PORT={asked} is not a port number.")
    try:
        return Reservation(int(asked or USUAL_PORT))
    except OSError as error:
        if asked:
            raise Problem(f"Port {asked} is taken or not ours to take. Choose another:  make run PORT=8001") from error
    reservation = Reservation()
    say(f"Port {USUAL_PORT} is taken; using {reservation.port}.")
    return reservation
