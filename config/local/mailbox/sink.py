"""An SMTP server on the loopback address that keeps all it is given and sends nothing on: python -m config.local.mailbox.sink PORT"""

import asyncio
import signal
import sys

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.local.mailbox import letters
from config.local.ports import LOOPBACK


class Sink:
    """What the protocol asks when a letter is there."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        letters.keep(b"X-Envelope-To: " + ", ".join(envelope.rcpt_tos).encode() + b"\r\n" + content)
        return "250 Kept"


async def serve(port: int) -> None:
    """Answer until asked to end. The port is shared with the launcher, which holds it for us."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, done.set)
    async with await loop.create_server(lambda: SMTP(Sink(), hostname="localhost"), LOOPBACK, port, reuse_port=True):
        await done.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
