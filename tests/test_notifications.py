"""One door to suppliers: what is asked for is sent once, over real SMTP, and what stands against it is said."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller

from success import due
from success.models import Event, MessageTemplate, Notification, Send
from success.notifications import notify, sending
from tests.factories import ContactFactory, SupplierFactory
from tests.server import free_port

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Box:
    """Keeps what it is given; `answer` says what it says to whom."""

    def __init__(self) -> None:
        self.letters: list = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):
        self.letters.append(envelope)
        return self.answers.get("data", "250 Kept")


@pytest.fixture
def box(settings) -> Iterator[Box]:
    handler = Box()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    yield handler
    controller.stop()


@pytest.fixture
def template(db) -> MessageTemplate:
    return MessageTemplate.objects.create(
        key="first_steps", category="tips", subject="{{ clients }} clients are in, {{ first_name }}", text="You have {{ clients }} clients.\n\nOne thing to do: make a form.",
        button="Make a form", link="https://wedsync.example/forms", in_app_title="{{ clients }} clients are in", in_app_text="Make a form next.",
    )  # fmt: skip


@pytest.fixture
def sarah(db):
    supplier = SupplierFactory(external_id="sarah")
    ContactFactory(supplier=supplier, name="Sarah Wilson", email="sarah@example.org", timezone="Europe/London")
    return supplier


def tell(supplier, key="k1", *, at=NOW, template="first_steps", context=None, **more):
    return notify(supplier=supplier.pk, template=template, context={"clients": 5} if context is None else context, category="tips", key=key, at=at, **more)


def run(at=NOW):
    return due.run(sending.KIND, at=at)


def test_a_notice_is_in_the_inbox_and_a_letter_in_the_box(box, sarah, template):
    notice = tell(sarah)
    assert notice.new and len(notice.sends) == 1
    assert run() == {"accepted": 1}
    [letter] = box.letters
    assert letter.rcpt_tos == ["sarah@example.org"]
    assert Notification.objects.get().title == "5 clients are in"
    send = Send.objects.get()
    assert (send.state, send.subject, send.called) == ("accepted", "5 clients are in, Sarah", 1)
    assert Event.objects.get(name="success.notification_sent").payload == {
        "key": "k1", "channel": "email", "template": "first_steps", "outcome": "accepted", "reason": "",
    }  # fmt: skip
    assert not tell(sarah).new
    assert run(NOW + timedelta(days=30)) == {}
    assert len(box.letters) == Notification.objects.count() == 1
