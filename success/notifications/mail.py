"""Mail: a letter as text and as plain-looking HTML of the same words, handed to a mail server or a provider, and what their answers mean."""

import re
import smtplib
import threading
import time
from datetime import datetime
from email.utils import formataddr, parseaddr
from typing import Any
from uuid import uuid4

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from success import due, suppliers
from success.logs import clean
from success.models import Send, Suppression
from success.notifications import gates, links

HARD = {550, 551, 553}  # no such mailbox, and not for a rule of theirs (5.7.x)
AGAIN = {401, 403, 408, 425, 429}  # a provider that surely did not take it
IDLE = 10.0  # seconds for which an open connection is used again

# ---------------------------------------------------------------- the letter


def new_id(pk: int) -> str:
    """A Message-ID of ours."""
    return f"<{pk}.{uuid4().hex}@{parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition('@')[2] or 'localhost'}>"


def message_of(send: Send, *, to: str) -> EmailMultiAlternatives:
    """The letter as it stands written, with who it is from and how to get no more."""
    about = {"send": send, "paragraphs": paragraphs_of(send), **footer(send)}
    text = "\n\n".join(part for part in (send.text, f"{send.button}:\n{send.link}" if send.link else "", closing(about)) if part)
    message = EmailMultiAlternatives(
        send.subject, text, sender(), [to], reply_to=[settings.REPLY_TO] if settings.REPLY_TO else None, headers=headers(send, about)
    )
    message.attach_alternative(render_to_string("notifications/letter.html", about), "text/html")
    message.metadata = {"send_id": str(send.pk)}  # type: ignore[attr-defined]  # a provider tells us about it by this
    return message


def paragraphs_of(send: Send) -> list[list[str]]:
    """The lines of each paragraph, as HTML."""
    return [[linked(line) for line in one.split("\n")] for one in re.split(r"\n\s*\n", send.text.replace("\r\n", "\n"))]


def linked(line: str) -> str:
    """The line with our own addresses as links. No others: a name may look like one."""
    ours = f"{settings.BASE_URL}/"
    link = '<a href="{0}" style="overflow-wrap: anywhere">{0}</a>'
    return format_html_join("", "{}", ((format_html(link, part) if part.startswith(ours) else part,) for part in re.split(r"(\s+)", line)))


def footer(send: Send) -> dict[str, str]:
    if send.supplier_id is None:
        return {}
    return {
        "sender": settings.SENDER_NAME,
        "postal": settings.POSTAL_ADDRESS,
        "unsubscribe": links.unsubscribe(send.supplier_id),
        "preferences": links.preferences(send.supplier_id),
    }


def closing(about: dict[str, Any]) -> str:
    if not about.get("unsubscribe"):
        return ""
    return f"-- \n{settings.SENDER_NAME}, {about['postal']}\nChoose what we write: {about['preferences']}\nUnsubscribe: {about['unsubscribe']}"


def sender() -> str:
    name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((settings.SENDER_NAME or name, address))


def headers(send: Send, about: dict[str, Any]) -> dict[str, str]:
    found = {"Message-ID": send.message_id, "X-Send-ID": str(send.pk), "Auto-Submitted": "auto-generated"}
    if about.get("unsubscribe"):
        found |= {"List-Unsubscribe": f"<{about['unsubscribe']}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return found


# ---------------------------------------------------------------- handed over


class Attentive(smtplib.SMTP):
    """Remembers whether a letter was handed over: from then on nobody knows what silence means."""

    handed_over = False

    def data(self, msg: Any) -> Any:
        code, answer = self.docmd("data")
        if code != 354:
            raise smtplib.SMTPDataError(code, answer)
        self.handed_over = True
        quoted = smtplib._quote_periods(smtplib._fix_eols(msg).encode("ascii") if isinstance(msg, str) else msg)  # type: ignore[attr-defined]
        self.send(quoted + (b"" if quoted.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        found = self.getreply()
        self.handed_over = False
        return found


class AttentiveTLS(Attentive, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


class Server(EmailBackend):
    used = 0.0

    @property
    def connection_class(self) -> type[Attentive]:
        return AttentiveTLS if self.use_ssl else Attentive

    @property
    def handed_over(self) -> bool:
        return isinstance(self.connection, Attentive) and self.connection.handed_over

    def where(self) -> tuple[Any, ...]:
        return self.host, self.port, self.username, self.use_tls, self.use_ssl


_open = threading.local()


def server() -> Server:
    """A connection that this thread may use, open from the letter before if that was just now."""
    fresh, kept = Server(), getattr(_open, "server", None)
    if kept and kept.where() == fresh.where() and time.monotonic() - kept.used < IDLE and alive(kept):
        fresh = kept
    elif kept:
        hang_up(kept)
    fresh.used, _open.server = time.monotonic(), fresh
    return fresh


def alive(kept: Server) -> bool:
    """Whether the other side still listens: it may have hung up since the letter before."""
    try:
        return bool(kept.connection and kept.connection.noop()[0] == 250)
    except (OSError, smtplib.SMTPException):
        return False


def hang_up(kept: Server | None = None) -> None:
    """This thread's connection is closed."""
    kept, _open.server = kept or getattr(_open, "server", None), None
    if kept and kept.connection:
        kept.connection.close()
        kept.connection = None


def deliver(send: Send, *, at: datetime) -> due.Outcome:
    """What came of handing the letter over."""
    to = address_of(send)
    if not to:
        return due.Dropped(gates.WORDS["no_address"])
    message = message_of(send, to=to)
    return by_provider(send, message, at=at) if settings.EMAIL_PROVIDER else by_server(message, to=to, at=at)


def address_of(send: Send) -> str:
    if send.user:
        return str(send.user.email)
    contact = suppliers.contact_of(send.supplier_id) if send.supplier_id else None
    return contact.email if contact else ""


def by_server(message: EmailMultiAlternatives, *, to: str, at: datetime) -> due.Outcome:
    """SMTP: until the letter's last byte a failure means that it was not taken; after it, silence may mean anything."""
    used = server()
    try:
        used.open()
        used.send_messages([message])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        hang_up(used)
        return refused(to, code, said, at=at)
    except smtplib.SMTPResponseException as error:
        hang_up(used)
        words = said_by(error.smtp_code, error.smtp_error)
        return due.Refused(words) if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500 else due.Retry(words)
    except (ValueError, TypeError) as error:  # an address or a header that no mail can have
        handed_over = used.handed_over
        hang_up(used)
        return due.Unknown(type(error).__name__) if handed_over else due.Refused(f"It cannot be put into a mail: {type(error).__name__}.")
    except (OSError, smtplib.SMTPException) as error:
        handed_over = used.handed_over
        hang_up(used)
        return due.Unknown("The mail server fell silent after it had the letter.") if handed_over else due.Retry(f"No mail server: {type(error).__name__}.")
    return due.Accepted()


def refused(to: str, code: int, said: bytes | str, *, at: datetime) -> due.Outcome:
    words = said_by(code, said)
    if code < 500:
        return due.Retry(words)
    if code in HARD and " 5.7." not in f" {words}":
        suppress(to, reason=words, at=at)
    return due.Refused(words)


def said_by(code: int, said: bytes | str) -> str:
    return str(clean(f"{code} {said.decode(errors='replace') if isinstance(said, bytes) else said}"))[:200]


def suppress(address: str, *, reason: str, at: datetime) -> None:
    """Nothing is mailed to this address any more."""
    Suppression.objects.get_or_create(digest=gates.digest_of(address), defaults={"reason": reason[:200], "at": at})


def by_provider(send: Send, message: EmailMultiAlternatives, *, at: datetime) -> due.Outcome:
    """Through Anymail. What a provider says later comes by its webhook, with our `send_id`."""
    try:
        get_connection().send_messages([message])
    except AnymailRecipientsRefused as error:
        return due.Refused(str(clean(str(error)))[:200])
    except AnymailAPIError as error:
        return failed(error)
    except AnymailError as error:  # the letter cannot be put as this provider wants it
        return due.Refused(type(error).__name__)
    status = message.anymail_status  # type: ignore[attr-defined]
    if status.message_id:
        Send.objects.filter(pk=send.pk).update(message_id=str(status.message_id)[:200])
    return due.Accepted()


def failed(error: AnymailAPIError) -> due.Outcome:
    code = error.status_code
    if code is None:
        never = any("Connect" in kind.__name__ or "NewConnection" in kind.__name__ for kind in type(error).__mro__) and "Read" not in str(error)
        return due.Retry("No connection to the provider.") if never else due.Unknown("The provider did not answer.")
    if code in AGAIN:
        return due.Retry(f"The provider answered {code}.")
    return due.Unknown(f"The provider answered {code}.") if code >= 500 else due.Refused(f"The provider answered {code}.")
