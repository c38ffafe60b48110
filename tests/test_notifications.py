"""One door to suppliers: what is asked for is sent once, over real SMTP, and what stands against it is said."""

import email
import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from success import due, outgoing
from success.models import Contact, Event, MessageTemplate, Notification, Send, Suppression
from success.notifications import Ask, UnknownTemplate, letters, links, mail, notify, notify_all, notify_staff, sending
from success.notifications.door import UnknownChannel
from tests.factories import ContactFactory, StaffFactory, SupplierFactory
from tests.hostile import ORDERS
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
    mail.hang_up()
    controller.stop()


@pytest.fixture
def template(db) -> MessageTemplate:
    return MessageTemplate.objects.create(
        key="first_steps", category="tips", subject="{{ clients }} clients are in, {{ first_name }}",
        text="You have {{ clients }} clients.\n\nOne thing to do: make a form.",
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
    assert (send.state, send.subject, send.attempts) == ("accepted", "5 clients are in, Sarah", 1)
    assert Event.objects.get(name="success.notification_sent").payload == {
        "key": "k1", "channel": "email", "template": "first_steps", "outcome": "accepted", "reason": "",
    }  # fmt: skip
    assert not tell(sarah).new
    assert run(NOW + timedelta(days=30)) == {}
    assert len(box.letters) == Notification.objects.count() == 1


def test_what_the_callers_transaction_takes_back_was_never_asked_for(db, sarah, template):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tell(sarah)
        raise ZeroDivisionError
    assert not Send.objects.exists() and not Notification.objects.exists()


def test_many_are_asked_for_in_as_many_queries_as_one(db, template, django_assert_max_num_queries):
    people = [ContactFactory().supplier.pk for _ in range(50)]
    asks = [Ask(supplier=pk, template="first_steps", context={"clients": 1}, key=f"k{pk}") for pk in people]
    with django_assert_max_num_queries(12):
        assert all(notice.new for notice in notify_all(asks, at=NOW))
    claimed = [held.key for held in due.claim(sending.KIND, at=NOW)]
    assert len(claimed) == 50
    with django_assert_max_num_queries(10):
        sending.prepare(claimed, at=NOW)
    assert Send.objects.exclude(text="").count() == 50


@pytest.mark.parametrize("wrong", [{"template": "no_such"}, {"channels": ["pigeon"]}])
def test_what_there_is_not_is_refused_at_the_door(db, sarah, template, wrong):
    with pytest.raises((UnknownTemplate, UnknownChannel)):
        tell(sarah, **wrong)
    assert not Send.objects.exists()


# ---------------------------------------------------------------- the letter


def test_the_letter_says_who_it_is_from_and_how_to_get_no_more(box, sarah, template, settings):
    settings.BASE_URL = "https://success.example.com"
    tell(sarah)
    run()
    letter = email.message_from_bytes(box.letters[0].content, policy=policy.default)
    send = Send.objects.get()
    assert (letter["From"], letter["To"], letter["Reply-To"]) == ("WedSync <success@localhost>", "sarah@example.org", "hello@wedsync.example")
    assert letter["Message-ID"] == send.message_id and letter["X-Send-ID"] == str(send.pk)
    assert letter["List-Unsubscribe"].strip() == f"<{links.unsubscribe(sarah.pk)}>"
    assert links.unsubscribe(sarah.pk).startswith("https://success.example.com/unsubscribe/")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain, html = (letter.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for text in (plain, html):
        assert all(
            part in text
            for part in ("You have 5 clients.", "One thing to do: make a form.", "Make a form", "https://wedsync.example/forms", "1 Chapel Road, London")
        )
        assert links.unsubscribe(sarah.pk) in text and links.preferences(sarah.pk) in text
    assert html.count("<p ") == 4 and "{{" not in html + plain


UNWRITTEN = [  # what a template says, the values there are, and why it is not sent
    ("Hello {{ first_name }}", {"first_name": ""}, "first_name"),
    ("Hello {{ first_name }}", {"first_name": None}, "first_name"),
    ("Hello {{ first_name }}", {"first_name": "None"}, "first_name"),
    ("Hello {{ first_name }}", {"first_name": " \n "}, "first_name"),
    ("You have {{ clients }}", {}, "clients"),
    ("You have {{ deep.down }}", {"deep": {"up": 1}}, "down"),
    ("{{ score | round }}", {"score": float("nan")}, "score"),
    ("Hello {{ first_name }}", {"first_name": "{{ clients }}"}, "left over"),
    ("{% if clients %}You have some.{% endif %}", {}, "empty"),
    ("{% for n in (1..100000) %}x{% endfor %}", {}, "cannot be written"),
    ("{% for n in (1..900) %}{{ long }}{% endfor %}", {"long": "x" * 200}, "cannot be written"),
    ("Hello {{ first_name", {}, "cannot be written"),
    ("{% include 'settings' %}", {}, "cannot be written"),
    ("{{ first_name | no_such_filter }}", {"first_name": "Ada"}, "cannot be written"),
]


@pytest.mark.parametrize(("text", "values", "why"), UNWRITTEN)
def test_a_letter_that_would_come_out_wrong_is_not_written(text, values, why):
    with pytest.raises(letters.Unwritten, match=why):
        letters.write(MessageTemplate(subject="Hello", text=text), values)


@pytest.mark.parametrize(
    ("text", "values", "said"),
    [
        ("Hello{% if first_name %} {{ first_name }}{% endif %}.", {"first_name": None}, "Hello."),
        ("Hello {{ first_name | default: 'there' }}.", {}, "Hello there."),
        ("{{ score | round }} of 100", {"score": 66.7}, "67 of 100"),
        ("{% for one in names %}{{ one }}, {% endfor %}done", {"names": ["Ada", None, "Ben"]}, "Ada, Ben, done"),
    ],
)
def test_a_template_may_ask_whether_it_is_known(text, values, said):
    assert letters.write(MessageTemplate(subject="Hello", text=text), values).text == said


def test_what_cannot_be_written_is_refused_and_says_so(box, sarah, template):
    notice = tell(sarah, context={})
    assert "clients" in notice.not_in_app and notice.notification is None
    assert run() == {"lost": 1}
    send = Send.objects.get()
    assert (send.state, send.gate) == ("refused", "unwritten") and "clients" in send.error
    assert Event.objects.get(name="success.notification_sent").payload["reason"] == "unwritten"
    Send.objects.update(context={"clients": 3})
    due.again(send, at=NOW)
    assert run() == {"accepted": 1} and len(box.letters) == 1


@pytest.mark.parametrize(
    "name", [*(text for text in ORDERS if "{{" not in text and "{%" not in text), "Eve\r\nBcc: everybody@example.org", "Eve\n\n.\nMAIL FROM:<x>"]
)
def test_a_hostile_name_is_text_in_every_part(box, sarah, template, name):
    Contact.objects.update(name=name[:200])
    MessageTemplate.objects.filter(key="first_steps").update(subject="{{ name }}", text="{{ name }}", in_app_title="{{ name }}")
    tell(sarah)
    run()
    [kept] = box.letters
    letter = email.message_from_bytes(kept.content, policy=policy.default)
    assert kept.rcpt_tos == ["sarah@example.org"] and letter["Bcc"] is None and len(letter.get_all("Subject")) == 1
    html = letter.get_body(("html",)).get_content()
    for tag in ("<x-taken", "<script", "<img", "<svg", "<iframe", "<div x-", "<p x-", '<a href="javascript'):
        assert tag not in html.lower()
    assert not letters.TURNS_AROUND & set(html)


# ---------------------------------------------------------------- mail servers


@pytest.mark.parametrize(
    ("answer", "state", "suppressed"),
    [
        ("550 5.1.1 no such user", "refused", True),
        ("553 no such mailbox", "refused", True),
        ("550 5.7.1 we do not like you", "refused", False),
        ("552 5.2.2 mailbox full", "refused", False),
        ("450 4.2.0 come again", "queued", False),
        ("421 4.3.0 closing", "queued", False),
    ],
)
def test_what_a_server_says_to_the_recipient(box, sarah, template, answer, state, suppressed):
    box.answers["sarah@example.org"] = answer
    tell(sarah)
    run()
    send = Send.objects.get()
    assert (send.state, Suppression.objects.exists()) == (state, suppressed)
    assert answer[:3] in send.error and "sarah@example.org" not in send.error
    if state == "queued":
        assert NOW < send.due_at < NOW + timedelta(minutes=1)
        box.answers.clear()
        assert run(NOW + timedelta(hours=1)) == {"accepted": 1}
    if suppressed:
        tell(sarah, "k2", at=NOW)
        run()
        assert Send.objects.get(key="k2").gate == "suppressed"


@pytest.mark.parametrize(("answer", "state"), [("554 5.6.0 spam", "refused"), ("451 4.3.0 come again", "queued")])
def test_what_a_server_says_to_the_letter(box, sarah, template, answer, state):
    box.answers["data"] = answer
    tell(sarah)
    run()
    assert Send.objects.get().state == state and not Suppression.objects.exists()


class Rude(socketserver.StreamRequestHandler):
    """A mail server that stops at a point: `silent` says nothing more, `gone` hangs up."""

    def handle(self) -> None:
        when, how = self.server.manner
        steps = {
            "banner": b"220 hello\r\n",
            "ehlo": b"250 hello\r\n",
            "mail": b"250 ok\r\n",
            "rcpt": b"250 ok\r\n",
            "data": b"354 go on\r\n",
            "letter": b"250 kept\r\n",
        }
        for step, answer in steps.items():
            if step == "letter":
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
            elif step != "banner":
                self.rfile.readline()
            if step == when:
                if how == "silent":
                    self.server.over.wait(10)
                return
            self.wfile.write(answer)


@pytest.fixture
def rude(settings):
    """Starts a mail server with bad manners."""
    servers = []

    def start(when: str, how: str) -> None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Rude)
        server.manner, server.over, server.daemon_threads = (when, how), threading.Event(), True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", server.server_address[1], 0.5

    yield start
    mail.hang_up()
    for server in servers:
        server.over.set()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("how", ["silent", "gone"])
@pytest.mark.parametrize("when", ["banner", "ehlo", "mail", "rcpt", "data", "letter"])
def test_silence_before_the_letter_is_tried_again_and_after_it_nobody_guesses(rude, sarah, template, when, how):
    rude(when, how)
    tell(sarah)
    run()
    send = Send.objects.get()
    assert send.state == ("unknown" if when == "letter" else "queued")
    assert send.needs_a_person == (when == "letter")


def test_without_a_mail_server_it_is_tried_again(sarah, template, settings):
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    tell(sarah)
    run()
    settings.EMAIL_HOST = "no-such-host.invalid"
    run(NOW + timedelta(minutes=1))
    assert (Send.objects.get().state, Send.objects.get().attempts) == ("queued", 2)


@pytest.mark.parametrize(
    ("when", "outcome"),
    [("ok", "accepted"), ("429", "queued"), ("401", "queued"), ("413", "refused"), ("500", "unknown"), ("silent", "unknown"), ("none", "queued")],
)
def test_a_provider_by_anymail(sarah, template, settings, http, when, outcome):
    settings.EMAIL_PROVIDER, settings.EMAIL_BACKEND = "postmark", "anymail.backends.postmark.EmailBackend"
    settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "secret", "POSTMARK_API_URL": http(when), "REQUESTS_TIMEOUT": 0.5}
    tell(sarah)
    run()
    send = Send.objects.get()
    assert send.state == outcome
    if when == "ok":
        said = json.loads(http.bodies[0])
        assert said["Metadata"] == {"send_id": str(send.pk)} and said["To"] == "sarah@example.org"
        assert send.message_id == "provider-1"


class Web(BaseHTTPRequestHandler):
    """Answers as it was told to."""

    def do_POST(self) -> None:
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        when = self.server.when
        if when == "silent":
            return self.server.over.wait(10) and None
        body = json.dumps([{"ErrorCode": 0, "Message": "OK", "To": "sarah@example.org", "MessageID": "provider-1"}]).encode()
        self.send_response(200 if when == "ok" else int(when))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def http():
    """Starts a web server that answers with a status, says nothing, or is not there."""
    servers = []

    def start(when: str) -> str:
        if when == "none":
            return f"http://127.0.0.1:{free_port()}/"
        server = HTTPServer(("127.0.0.1", 0), Web)
        server.when, server.bodies, server.over = when, start.bodies, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/"

    start.bodies = []
    yield start
    for server in servers:
        server.over.set()
        server.shutdown()
        server.server_close()


# ---------------------------------------------------------------- our own people


def test_our_own_people_are_written_to_once_and_at_night_too(box, db):
    ada = StaffFactory(email="ada@example.org")
    for _ in range(2):
        notify_staff(user=ada, template="staff_notice", context={"title": "Sarah fell", "text": "She is yours."}, key="fell:1", at=NOW.replace(hour=23))
    assert run(NOW.replace(hour=23)) == {"accepted": 1}
    [letter] = box.letters
    assert letter.rcpt_tos == ["ada@example.org"] and b"List-Unsubscribe" not in letter.content
    ada.is_active = False
    ada.save()
    notify_staff(user=ada, template="staff_notice", context={"title": "Sarah fell", "text": "She is yours."}, key="fell:2", at=NOW)
    run()
    assert Send.objects.get(key=f"fell:2:{ada.pk}").gate == "no_address"
    assert not Event.objects.filter(name="success.notification_sent").exists()


@pytest.mark.parametrize(("when", "state"), [("200", "accepted"), ("404", "refused"), ("429", "queued"), ("500", "unknown"), ("none", "queued")])
def test_a_room_of_our_own_people(db, http, settings, when, state):
    settings.CHAT_WEBHOOK_URL, settings.OUTGOING_INSIDE = http(when), True
    context = {"title": "<!channel> & co", "text": "See <https://taken.example|here>", "link": "https://success.example.com/admin/"}
    notify_staff(channel="chat", template="staff_notice", context=context, key="c", at=NOW)
    run()
    assert Send.objects.get().state == state
    if state == "accepted":
        said = json.loads(http.bodies[0])["text"]
        assert said == "*&lt;!channel&gt; &amp; co*\nSee &lt;https://taken.example|here&gt;\n<https://success.example.com/admin/|Open>"


INSIDE = [
    "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "0.0.0.0",  # noqa: S104
    "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[::1]", "[::]", "[::127.0.0.1]", "[::ffff:10.0.0.1]", "[fc00::1]", "[fe80::1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[ff02::1]", "localhost", "no-such-host.invalid",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_an_outgoing_call_never_reaches_inside(host, monkeypatch):
    made = []
    monkeypatch.setattr(socket, "create_connection", lambda *args, **more: made.append(args))
    for url in (f"https://{host}/", f"https://{host}:8443/x", f"http://{host}/"):
        with pytest.raises(outgoing.NotSent):
            outgoing.post(url, b"", headers={})
    assert made == []
