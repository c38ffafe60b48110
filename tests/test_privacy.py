"""What is held is exported and erased, the erased stay erased, and no log says who anybody is."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import redis
import structlog
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from health import assessments
from health.models import Override, Snapshot
from interventions.models import Decision, Intervention, Playbook, Step
from milestones.models import Achievement, Grant, Reward, Touched
from success import activity, clients, db, keys, logs, privacy, reconcile, suppliers, work
from success.models import (
    Activity,
    ApiKey,
    Client,
    Contact,
    CustomField,
    DeadLetter,
    Delivery,
    Erased,
    Event,
    Facts,
    MessageTemplate,
    Send,
    Slot,
    Source,
    StatusChange,
    Supplier,
    Task,
)
from success.models.stream import Push
from success.notifications import notify, preferences, sending
from tests.factories import SourceFactory, StaffFactory, SupplierFactory

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SARAH, ADDRESS, PHONE = "Sarah O'Brien-Wünsch", "Sarah.OBrien@wuensch-photo.example", "+49 171 5550 123"


@pytest.fixture
def source(db: None) -> Source:
    activity.ensure_partitions(now=NOW)
    return SourceFactory(name="product")


def take(source: Source, *messages: dict, at: datetime = NOW) -> activity.Receipt:
    return activity.take([json.dumps(message).encode() for message in messages], kind=None, source=source, received_at=at)


PLANTED = [
    "sarah-wuensch",
    "sarah.obrien@wuensch",
    "o'brien-wünsch",
    "5550 123",
    "assistant-tom",
    "tom@wuensch",
    "Tom Wünsch",
    "couple-77",
    "likes lilies",
    "Sarah's studio",
]
TRAITS = {"name": SARAH, "email": ADDRESS, "phone": PHONE, "plan": "pro", "note": "likes lilies"}
TOM = {"name": "Tom Wünsch", "email": "tom@wuensch-photo.example"}
PAGE = {"page": "Sarah's studio"}
SAID = [
    {"type": "identify", "userId": "sarah-wuensch", "messageId": "1", "traits": TRAITS},
    {"type": "identify", "userId": "assistant-tom", "messageId": "2", "groupId": "sarah-wuensch", "traits": TOM},
    {"type": "track", "userId": "assistant-tom", "messageId": "3", "event": "Form Created", "groupId": "sarah-wuensch", "properties": PAGE},
    {"type": "track", "userId": "sarah-wuensch", "messageId": "4", "event": "Client Active", "properties": {"client_id": "couple-77"}},
    {"type": "track", "userId": "sarah-wuensch", "messageId": "5", "event": "Signed In"},
]  # fmt: skip


@pytest.fixture
def sarah(source: Source) -> Supplier:
    """Everything we could come to know of a supplier, in every table, and somebody else beside her."""
    CustomField.objects.create(name="note")
    assert take(source, *SAID).accepted == 5
    take(source, {"type": "track", "userId": "ben", "messageId": "6", "event": "Client Active", "properties": {"client_id": "c1"}})
    found = Supplier.objects.get(external_id="sarah-wuensch")
    clients.put(supplier_id=found.pk, clients={"couple-77": None, "couple-78": NOW}, at=NOW)
    assessments.assess(at=NOW)
    Snapshot.objects.create(supplier=found, day=NOW.date(), status="ended", scorecard="ws142", version=1)
    contact = Contact.objects.get(email=ADDRESS)
    suppliers.update(suppliers.lock([found.pk])[found.pk], {"plan": "basic"}, at=NOW)
    suppliers.update_contact(found.pk, contact.external_id, {"locale": "de"}, is_primary=True, said_at=NOW)
    for obj in (found, contact):
        LogEntry.objects.create(
            user=StaffFactory(), content_type=ContentType.objects.get_for_model(obj), object_id=str(obj.pk), object_repr=str(obj), action_flag=CHANGE,
            change_message=f"Changed {contact}",
        )  # fmt: skip
    by = StaffFactory()
    work.note(supplier=found.pk, text=f"{SARAH} likes lilies", by=by, at=NOW)
    work.contacted(supplier=found.pk, channel="call", outcome="reached", text=SARAH, by=by, at=NOW)
    work.plan(supplier=found.pk, title=f"Call {PHONE}", due_on=NOW.date(), assignee=by, by=by, at=NOW)
    Task.objects.update(title=f"Call {PHONE} again")
    work.snooze(supplier=found.pk, until=NOW + timedelta(days=1), reason=SARAH, by=by, at=NOW)
    Override.objects.create(
        supplier=found, level="healthy", computed_level="critical", reason=SARAH, by=by, by_role="lead", at=NOW, until=NOW + timedelta(days=1),
    )  # fmt: skip
    message = Activity.objects.filter(supplier=found).first()
    DeadLetter.objects.create(received_at=NOW, messages=[message.message], sqlstate="22000", error='bad value "couple-77"')
    tell(found)
    help_her(found)
    event = Event.objects.filter(supplier=found).first()
    achievement = Achievement.objects.get(supplier=found, milestone__key="first_form")
    Achievement.objects.filter(pk=achievement.pk).update(revoked_at=NOW, revoked_by=by, revoked_because=f"{SARAH} asked")
    Touched.objects.create(supplier=found, milestone=achievement.milestone)
    Push.objects.create(supplier=found, event="celebration", key=f"celebration:{achievement.pk}", data={"title": SARAH}, at=NOW, waits=True)
    task = Task.objects.filter(supplier=found).first()
    Grant.objects.create(reward=Reward.objects.first(), supplier=found, achievement=achievement, value=1, state="redeemed", at=NOW, redeemed_at=NOW, task=task)
    Delivery.objects.create(event=event, supplier=found, subscriber="tests.somebody", due_at=NOW, state="refused", error=f"of {SARAH}")
    return found


def help_her(supplier: Supplier) -> None:
    """A playbook that one of us began for her, and what was decided."""
    playbook = Playbook.objects.get(key="first_weeks_quiet")
    about = {"supplier": supplier, "playbook": playbook, "version": 1}
    run = Intervention.objects.create(**about, episode=1, steps=playbook.steps, started_at=NOW, overruled=f"{SARAH} asked for it")
    Step.objects.create(supplier=supplier, intervention=run, place=0, due_at=NOW, error=f"of {SARAH}")
    why = [{"key": "data", "holds": False, "why": f"of {SARAH}"}]
    Decision.objects.create(**about, intervention=run, at=NOW, outcome="skipped", gate="data", gates=why, health={"score": 30}, key="once")


def tell(supplier: Supplier) -> None:
    """A letter of hers, an inbox, and wishes that she changed."""
    MessageTemplate.objects.create(key="t", category="tips", subject="{{ first_name }}", text="{{ name }}", in_app_title="{{ name }}")
    about = {"context": {"studio": PAGE["page"]}, "category": "tips", "at": NOW}
    notify(supplier=supplier.pk, template="t", key=f"{SARAH} 1", cause=SARAH, overrule=SARAH, **about)
    send = Send.objects.get(supplier=supplier)
    [held] = sending.due.claim(sending.KIND, at=NOW)
    sending.prepare([send.pk], at=NOW)
    assert sending.due.begin(sending.KIND, held, at=NOW)
    assert Slot.objects.exists() and SARAH in Send.objects.get().text
    for wanted in (False, True):
        preferences.change(supplier.pk, {"channels": {"email": wanted}}, at=NOW)


# ---------------------------------------------------------------- the map


def reachable() -> set:
    """All models with a path of foreign keys to a supplier."""
    found = {Supplier}
    while True:
        more = {
            model
            for model in apps.get_models(include_auto_created=True)
            if model not in found and any(field.related_model in found for field in model._meta.concrete_fields if field.is_relation)
        }
        if not more:
            return found
        found |= more


def test_the_map_names_every_model_with_a_path_to_a_supplier():
    assert set(privacy.MAP) == reachable()


def test_the_map_names_every_table_with_a_column_for_a_supplier(db):
    found = {table for (table,) in rows("select table_name from information_schema.columns where column_name = 'supplier_id' and table_schema = 'public'")}
    mapped = {held.model._meta.db_table for held in privacy.MAP.values()}
    assert {table for table in found if not table.startswith("success_activity_")} - mapped - STAGING == set()


STAGING = {"success_importrow"}  # rows of a file on their way in


def test_whatever_is_kept_of_the_erased_has_no_text_of_theirs():
    """A row that stays may not have a free text column, or somebody's words stay with it."""
    free = {
        held.model.__name__: [
            field.name for field in held.model._meta.concrete_fields if field.get_internal_type() in ("TextField", "CharField") and not field.choices
        ]
        for held in privacy.MAP.values()
        if held.on_erasure == privacy.KEPT
    }
    assert free == {"StatusChange": []}


def rows(sql: str, params: list | None = None) -> list[tuple]:
    return db.rows(sql, params or [])


# ---------------------------------------------------------------- export


def test_the_export_has_everything_that_is_held(sarah):
    out = io.StringIO()
    call_command("export_supplier", "sarah-wuensch", stdout=out)
    found = json.loads(out.getvalue())
    assert set(found) == {"supplier", *(model._meta.label for model in privacy.MAP)}
    for label, section in found.items():
        assert label == "supplier" or section["rows"] or label == "success.StatusChange", label
    everything = out.getvalue()
    assert all(
        json.dumps(text, ensure_ascii=False)[1:-1] in everything
        for text in (SARAH, ADDRESS, PHONE, "Tom Wünsch", "couple-77", "likes lilies", "Sarah's studio")
    )
    assert {row["event"] for row in found["success.Activity"]["rows"]} == {"Form Created", "Client Active", "Signed In"}
    assert found["success.Supplier"]["rows"][0]["source"] == "product"
    assert "ben" not in [section["rows"] for section in found.values() if isinstance(section, dict)]


def test_the_export_goes_to_a_new_file_for_one_reader(sarah, tmp_path):
    path = tmp_path / "sarah.json"
    call_command("export_supplier", "sarah-wuensch", output=str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["supplier"] == "sarah-wuensch"
    with pytest.raises(CommandError, match="there already"):
        call_command("export_supplier", "sarah-wuensch", output=str(path))
    with pytest.raises(CommandError, match="no supplier"):
        call_command("export_supplier", "nobody")


# ---------------------------------------------------------------- erasure


def erase(name: str = "sarah-wuensch") -> None:
    call_command("erase_supplier", name, yes=True, stdout=io.StringIO())


def traces(words: list[str]) -> list[tuple[str, str]]:
    """Tables in which one of these words stands, in whatever column."""
    tables = [table for (table,) in rows("select relname from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace")]
    return [
        (table, word)
        for table in tables
        for word in words
        if rows(f'select 1 from "{table}" t where t::text ilike %s limit 1', [f"%{word.replace(chr(39), chr(39))}%"])
    ]


def test_nothing_of_the_erased_is_left(sarah):
    assert {word for _, word in traces(PLANTED)} == set(PLANTED)
    erase()
    assert traces(PLANTED) == []
    assert traces(["ben"]) != []


def test_ledgers_stay_under_an_opaque_id_and_counters_are_right(sarah):
    Event.objects.create(name="health.risk_changed", supplier=sarah, at=NOW, payload={"level": "critical"})
    erase()
    sarah.refresh_from_db()
    assert sarah.external_id.startswith("erased-")
    assert (sarah.internal, sarah.custom, sarah.plan) == (True, {}, "")
    assert Event.objects.filter(supplier=sarah).exists()
    assert StatusChange.objects.filter(supplier=sarah, internal=True).exists()
    assert not Client.objects.filter(supplier=sarah).exists()
    facts = Facts.objects.get(pk=sarah.pk)
    assert (facts.in_service, facts.last_activity_at, facts.features, facts.clients_total) == (False, None, 0, 0)
    assert {contact.erased_at is not None for contact in Contact.objects.filter(supplier=sarah)} == {True}
    assert reconcile.differences([sarah.pk, Supplier.objects.get(external_id="ben").pk]) == []
    assert assessments.assess(at=NOW + timedelta(hours=1)).failures == {}


@pytest.mark.parametrize(
    "message",
    [
        {"type": "track", "userId": "sarah-wuensch", "event": "Signed In"},
        {"type": "page", "userId": "tom", "groupId": "sarah-wuensch", "name": "Clients"},
        {"type": "identify", "userId": "sarah-wuensch", "traits": {"email": ADDRESS}},
        {"type": "group", "groupId": "sarah-wuensch", "traits": {"plan": "pro"}},
        SAID[2],
    ],
)
def test_the_erased_are_refused_and_the_others_taken(sarah, source, message):
    erase()
    before = Supplier.objects.count()
    receipt = take(source, {"type": "track", "userId": "ben", "event": "Signed In"}, message, {"type": "track", "userId": "new", "event": "Signed In"})
    assert (receipt.accepted, receipt.duplicates, [refusal.index for refusal in receipt.refused]) == (2, 0, [1])
    assert Supplier.objects.count() == before + 1
    assert traces(PLANTED) == []


def test_the_erased_do_not_come_back_by_the_clients_or_as_people_of_others(sarah, source):
    erase()
    with pytest.raises(suppliers.SupplierErased):
        suppliers.resolve_one("sarah-wuensch", source=source, at=NOW)
    ben = {"userId": "ben", "context": {"groupId": "ben"}}
    take(
        source,
        {"type": "identify", "userId": "other", "context": {"groupId": "ben"}, "traits": {"email": ADDRESS.upper(), "name": SARAH}},
        {"type": "identify", "userId": "assistant-tom", "context": {"groupId": "ben"}, "traits": {"name": "Tom Wünsch"}},
        {"type": "track", "userId": "assistant-tom", "context": {"groupId": "ben"}, "event": "Signed In"},
        {"type": "identify", **ben, "traits": {"name": "Ben"}},
    )
    assert traces(PLANTED) == []
    assert Contact.objects.filter(name="Ben").exists()


def test_the_erased_do_not_come_back_by_an_import(sarah, tmp_path):
    erase()
    who = tmp_path / "who.csv"
    who.write_text(f"id,name,email,plan\nsarah-wuensch,{SARAH},{ADDRESS},pro\nben,Ben,{ADDRESS},pro\n")
    did = tmp_path / "did.csv"
    did.write_text("message_id,user_id,event,timestamp\n1,sarah-wuensch,Signed In,2026-11-01T10:00:00Z\n2,ben,Signed In,2026-11-01T10:00:00Z\n")
    for command, path in (("import_suppliers", who), ("import_activity", did)):
        call_command(command, str(path), source="file", stdout=io.StringIO())
    assert Activity.objects.filter(source__name="file").count() == 1
    assert traces(PLANTED) == []


def test_ids_are_told_apart_by_case_and_addresses_are_not(source):
    take(source, {"type": "track", "userId": "aB3", "event": "x"}, {"type": "track", "userId": "Anna@x.example", "event": "x"})
    erase("aB3")
    erase("Anna@x.example")
    sent = ["aB3", "Ab3", "Anna@x.example", "anna@X.example"]
    assert [refusal.index for refusal in take(source, *({"type": "track", "userId": name, "event": "x"} for name in sent)).refused] == [0, 2, 3]


def test_the_command_asks_and_says_what_goes(sarah, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt: "yes")
    out = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_supplier", "sarah-wuensch", stdout=out)
    assert "3 deleted  what was done, message by message" in out.getvalue()
    assert "2 emptied  the people: names, addresses, numbers" in out.getvalue()
    assert not Erased.objects.exists()
    monkeypatch.setattr("builtins.input", lambda prompt: "sarah-wuensch")
    call_command("erase_supplier", "sarah-wuensch", stdout=out)
    for command in ("erase_supplier", "export_supplier"):
        with pytest.raises(CommandError, match="forgotten"):
            call_command(command, "sarah-wuensch", stdout=out)
    with pytest.raises(CommandError, match="no supplier"):
        call_command("erase_supplier", "nobody", stdout=out)


# ---------------------------------------------------------------- logs and Redis

NAMES = [
    f"{first} {last}"
    for first in ("Zoë", "Siobhán", "Nguyễn", "O'Neill", "Müller-Lüdenscheidt")
    for last in ("Ågren", "D'Angelo", "Łukasz", "de la Cruz", "Smith")
]
HOSTILE = [
    "Robert'); DROP TABLE success_supplier;--", "<script>alert('Kim')</script>", "{{ 7*7 }} Ivanka", "Ana\nINFO fake line Beatriz", "%s %(name)s Carlo", "${jndi:ldap://Dmitri}",
    '"quoted" Eve', "back\\slash Farid", "Ünï‮ codé Gunnhild", "😀 Hortensia", "NULL", "=cmd|' /C calc'!Ibrahim", "Jörg\tTab", "a" * 150 + " Konstantin",
    "' OR 1=1 Ludmila",
    "../../etc/passwd Mohan", "\u202eNoemi", "Ṁ̈ Oluwaseun", "Pál & Söhne", "<b>Qiu</b>", "{'Rosalind': 1}", "[Svetlana]", "--help Takumi",
    "\\u0041 Ulrike", "Xóchitl %00",
]  # fmt: skip
PEOPLE = [(name, f"person{n}.{'abc'[n % 3]}@mail{n}.example", f"+1555000{n:04}") for n, name in enumerate([*NAMES, *HOSTILE])]


@pytest.fixture
def logged():
    """All that is logged from here on, at every level, as production writes it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logs.formatter())
    root = logging.getLogger()
    before, off = root.level, logging.getLogger("django.db.backends")
    level = off.level
    off.setLevel(logging.INFO)  # statements with their values, by DEBUG only, and never in production
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out
    root.removeHandler(handler)
    root.setLevel(before)
    off.setLevel(level)


def secrets_of(person: tuple[str, str, str]) -> list[str]:
    name, address, phone = person
    return [name, json.dumps(name)[1:-1], repr(name)[1:-1], address, phone, address.partition("@")[0]]


def leaks(text: str) -> list[str]:
    return [word for person in PEOPLE for word in secrets_of(person) if len(word) > 4 and word.lower() in text.lower()]


def test_fifty_people_leave_no_name_in_logs_or_redis(source, logged, client, caplog):
    assert len(PEOPLE) == 50
    _, secret = keys.create(source=source, name="test", scopes=["ingest", "read", "write"])
    header = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
    cache = [redis.Redis.from_url(f"{settings.REDIS_URL}/{number}") for number in (0, 1)]
    for n, (name, address, phone) in enumerate(PEOPLE):
        traits = {"name": name, "email": address, "phone": phone, name[:60]: name}
        sent = [
            {"type": "identify", "userId": address, "messageId": f"i{n}", "traits": traits},
            {"type": "track", "userId": f"s{n}", "event": "Form Created", "properties": {"page": name, "client_id": address}},
            {"type": "identify", "userId": f"s{n}", "traits": {**traits, "status": name}},
            {"type": "track", "userId": name, "event": 7, "timestamp": name},
        ]
        client.post("/v1/batch", json.dumps({"batch": sent}), content_type="application/json", **header)
        client.get(f"/api/v1/suppliers/{address}/", **header)
        client.get(f"/api/v1/suppliers/?owner={address}&nonsense={phone}", **header)
        client.put(f"/api/v1/suppliers/{address}/clients/", json.dumps({"clients": [{"client_id": name, name: 1}]}), content_type="application/json", **header)
        client.get("/api/v1/suppliers/", HTTP_AUTHORIZATION=f"Bearer {address}")
        errors(name, address, phone)
    assert Contact.objects.count() >= 50
    assert cache[1].llen(f"arrivals:{ApiKey.objects.get().pk}") == 50
    assert len(logged.getvalue()) > 10_000
    assert leaks(logged.getvalue()) == []
    assert len(leaks(caplog.text)) > 100  # what was there to be taken out
    for store in cache:
        held = [key + everything(store, key) for key in store.scan_iter()]
        assert leaks(b"\n".join(held).decode(errors="replace")) == []
        store.close()


def everything(store: redis.Redis, key: bytes) -> bytes:
    """All that stands under a key, of whatever type."""
    match store.type(key):
        case b"string":
            return store.get(key)
        case b"list":
            return b"\n".join(store.lrange(key, 0, -1))
        case b"hash":
            return b"\n".join(name + value for name, value in store.hgetall(key).items())
    return b""


def errors(name: str, address: str, phone: str) -> None:
    """Errors as they come to be anywhere: in a task, in the database, in code of others, each quoting somebody."""
    log, foreign = structlog.get_logger("test"), logging.getLogger("celery.app.trace")
    for fail in (lambda: int(name), lambda: {}[name], lambda: duplicate(name, address, phone), lambda: as_number(name)):
        try:
            fail()
        except Exception as error:
            log.exception("task_failed", supplier=7)
            log.error("letter_kept", reason=str(error).splitlines()[0])
            foreign.error("Task %s raised unexpected: %r", "score", error, exc_info=True)
            log.warning("retried", error=type(error).__name__, email=address, traits={"name": name}, cause=error, people=[Contact(name=name)])
    foreign.error("Not Found: /api/v1/suppliers/%s/health/?q=%s", address, address)
    log.info("mail_refused", detail=f"550 <{address}> unknown")


def as_number(name: str) -> None:
    with transaction.atomic():
        db.rows("select %s::integer", [name])


def duplicate(name: str, address: str, phone: str) -> None:
    with transaction.atomic():
        supplier = SupplierFactory()
        for _ in range(2):
            Contact.objects.create(supplier=supplier, external_id=address, name=name[:200], email=address, phone=phone)


def test_an_error_says_where_and_what_kind(source, logged):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        duplicate(*PEOPLE[0])
    structlog.get_logger("test").error("failed", exc_info=caught.value)
    entry = json.loads(logged.getvalue().splitlines()[-1])
    assert entry["event"] == "failed"
    assert "psycopg.errors.UniqueViolation 23505 success_contact contact_once" in entry["exception"]
    assert "test_privacy.py" in entry["exception"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ('column "first_at" holds "Sarah Lund"', 'column "[value]"'),
        ('bad number: "sarah_lund"', 'bad number: "[value]"'),
        ('bad: "Ana\nBea"', 'bad: "[value]"'),
        ('bad: "a "Sarah" b" in tea@example.com', 'bad: "[value]"'),
        ("bad literal: 'Sarah'", 'bad literal: "[value]"'),
        ("it won't do for tea@example.com\nDETAIL", "it won't do for [address]"),
    ],
)
def test_a_reason_that_is_kept_quotes_no_value(said, kept):
    assert logs.reason_of(ValueError(said)) == kept


def test_a_reason_names_the_constraint(source):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        duplicate(*PEOPLE[0])
    assert logs.reason_of(caught.value) == 'duplicate key value violates unique constraint "[value]" success_contact contact_once'


@pytest.mark.parametrize(
    ("said", "logged_as"),
    [
        ("to o'brien@example.org, again", "to [address], again"),
        ("key cs_abcdefghijkl used", "key [secret] used"),
        ("postgresql://app:hunter2@db/x", "postgresql://[address]/x"),
        ("GET /api/v1/suppliers/anna/b c/clients/c1/ 404", "GET /api/v1/suppliers/[id]"),
        ("GET /unsubscribe/?who=anna", "GET /unsubscribe/?[id]"),
        (["a@b.example", {"name": "Anna", "n": 1}], ["[address]", {"name": "[redacted]", "n": 1}]),
        (ValueError("Anna"), "<ValueError>"),
    ],
)  # fmt: skip
def test_what_is_logged_is_redacted(said, logged_as):
    assert logs.clean(said) == logged_as
