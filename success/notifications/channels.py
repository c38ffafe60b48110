"""The channels outside the product. Each takes a written message and says what came of it; another one, such as SMS, is a class with the same two parts."""

from datetime import datetime
from typing import Protocol

import msgspec
from django.conf import settings

from success import due, outgoing
from success.logs import clean
from success.models import Send
from success.notifications import mail


class Channel(Protocol):
    key: str

    def send(self, send: Send, *, at: datetime) -> due.Outcome: ...


class Email:
    key = "email"

    def send(self, send: Send, *, at: datetime) -> due.Outcome:
        return mail.deliver(send, at=at)


class Chat:
    """The room of our own people, by an incoming webhook as Slack, Mattermost and others have it."""

    key = "chat"

    def send(self, send: Send, *, at: datetime) -> due.Outcome:
        if not settings.CHAT_WEBHOOK_URL:
            return due.Dropped("CHAT_WEBHOOK_URL is not set.")
        said = "\n".join(
            part for part in (f"*{escaped(send.subject)}*", escaped(send.text), f"<{send.link}|{escaped(send.button)}>" if send.link else "") if part
        )
        try:
            status = outgoing.post(settings.CHAT_WEBHOOK_URL, msgspec.json.encode({"text": said}), headers={"Content-Type": "application/json"})
        except outgoing.NotSent as error:
            return due.Retry(str(clean(str(error))))
        except outgoing.NotKnown as error:
            return due.Unknown(str(clean(str(error))))
        return answered(status)


def answered(status: int) -> due.Outcome:
    """What an HTTP status says of whether it was taken."""
    if 200 <= status < 300:
        return due.Accepted()
    if status == 429:
        return due.Retry("Asked to come again later (429).")
    return due.Unknown(f"Answered {status}.") if status >= 500 else due.Refused(f"Answered {status}.")


def escaped(text: str) -> str:
    """Text that the room shows as it is: nobody is called by it, and nothing in it is a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


CHANNELS: dict[str, Channel] = {channel.key: channel for channel in (Email(), Chat())}
OF_SUPPLIERS = ("in_app", "email")  # by which they can be reached, and may not want to be
