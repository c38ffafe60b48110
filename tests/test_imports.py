"""Imports: history from files, taken in once, silently, with a reason for each line that is not."""

import csv
import gzip
import io
import json
import os
import signal
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from health import assessments
from success import activity, messages, suppliers
from success.imports import activity as import_activity
from success.imports.files import File
from success.models import Activity, Client, Contact, CustomField, DailyUse, Erased, Event, EventName, EventUse, Facts, Import, MessageKey, Source, Supplier
from tests.factories import SourceFactory

SAMPLE = Path(__file__).parent / "data" / "activity.csv"
HEADER = "message_id,user_id,event,timestamp\n"
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def run(path, *options, source="product", command="import_activity"):
    call_command(command, str(path), "--source", source, *options)


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rejects(path):
    found = path.with_name(f"{path.name}.rejects.csv")
    return [(int(row["line"]), row["reason"]) for row in csv.DictReader(io.StringIO(found.read_text()))] if found.exists() else []


def state():
    """All that activity leaves, by names instead of our own ids and instants."""
    return [
        sorted(Supplier.objects.values_list("external_id", "first_seen_at", "facts__known_since")),
        sorted(DailyUse.objects.values_list("supplier__external_id", "day", "event__name", "n", "first_at", "last_at")),
        sorted(EventUse.objects.values_list("supplier__external_id", "event__name", "n", "first_at", "last_at")),
        sorted(Facts.objects.values_list("supplier__external_id", "first_activity_at", "last_activity_at", "features", "forms_completed")),
        sorted(Client.objects.values_list("supplier__external_id", "external_id", "first_known_at", "last_activity_at")),
        Activity.objects.count(),
        MessageKey.objects.count(),
    ]


def as_json(line):
    return json.dumps(dict(zip(HEADER.strip().split(","), line.split(","), strict=True)))


def as_segment(line):
    message_id, user, event, at = line.split(",")
    return json.dumps({"type": "track", "messageId": message_id, "userId": user, "event": event, "timestamp": at})


LINES = SAMPLE.read_text().splitlines()[1:]
FORMS = {
    "csv": SAMPLE.read_bytes(),
    "crlf": SAMPLE.read_bytes().replace(b"\n", b"\r\n"),
    "bom": b"\xef\xbb\xbf" + SAMPLE.read_bytes(),
    "quoted": (HEADER + "".join(",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in LINES)).encode(),
    "csv_with_a_bad_line": SAMPLE.read_bytes() + b"one,two\n",
    "ndjson": "\n".join(map(as_json, LINES)).encode(),
    "segment": "\n".join(map(as_segment, LINES)).encode(),
    "gzip": gzip.compress(SAMPLE.read_bytes()),
    "ndjson_gzip": gzip.compress("\n".join(map(as_json, LINES)).encode()),
}


@pytest.fixture
def taken(db):
    """What the sample leaves when it is sent message by message."""
    with transaction.atomic():
        activity.take([as_segment(line).encode() for line in LINES], kind=None, source=SourceFactory(name="product"), received_at=AT)
        found = state()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_leaves_what_ingest_would(taken, tmp_path, form):
    path = write(tmp_path / "a", FORMS[form])
    run(path, "--lines", "150")
    assert state() == taken
    before = state()
    run(path)
    assert state() == before
    assert Import.objects.latest("pk").duplicates == len(LINES)


def test_columns_may_have_any_name_and_order(taken, tmp_path):
    with (tmp_path / "a.csv").open("w") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["when", "note", "who", "id", "what"])
        for line in LINES:
            message_id, user, event, at = line.split(",")
            rows.writerow([at, "a\nnote" if event == "post" else "x", user, message_id, event])
    run(tmp_path / "a.csv", "--user-id", "who", "--event", "what", "--timestamp", "when", "--message-id", "id", "--delimiter", ";", "--lines", "40")
    assert state() == taken


def test_a_group_is_the_supplier_and_properties_are_kept_as_the_catalogue_says(db, tmp_path):
    row = 'm1,anna,studio,Client Active,2026-01-02T03:04:05+01:00,"{""client_id"": ""c1"", ""secret"": 1, ""page"": ""a@b""}"\n'
    run(write(tmp_path / "a.csv", f"message_id,user_id,team,event,timestamp,props\n{row}"), "--group-id", "team", "--properties", "props")
    stored = Activity.objects.get()
    assert (stored.supplier.external_id, stored.actor, stored.properties) == ("studio", "anna", {"client_id": "c1"})
    assert Client.objects.get().last_activity_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("line", ["m{0},u,Invited {1},2026-01-01T00:00:00Z\n", 'm{0},u,"Invited {1}",2026-01-01T00:00:00+0000\n'], ids=["in SQL", "judged"])
def test_an_address_in_the_name_of_an_event_is_not_kept(db, tmp_path, line):
    run(write(tmp_path / "a.csv", HEADER + "".join(line.format(n, who) for n, who in enumerate(["a@example.com", "b@example.com", "@home"]))))
    assert sorted(EventUse.objects.values_list("event__name", "n")) == [("Invited @home", 1), ("Invited [address]", 2)]
    assert not EventName.objects.filter(name__contains="@example").exists()


ODD_TIMES = [
    "2024-02-29T00:00:00Z", "20260101T100000Z", "2026-01-01T10:00:00.1234567+0100", "2026-W01-1T00:00:00Z", "2000-01-01T00:00:00Z", "2026-01-31 10:00:00Z",
]  # fmt: skip


def test_times_are_read_as_ingest_reads_them(db, tmp_path):
    run(write(tmp_path / "a.csv", HEADER + "".join(f"m{n},u,e,{at}\n" for n, at in enumerate(ODD_TIMES))))
    assert set(Activity.objects.values_list("occurred_at", flat=True)) == {messages.instant(at, "") for at in ODD_TIMES}


def test_a_time_ahead_of_ours_is_that_of_receipt(db, tmp_path):
    run(write(tmp_path / "a.csv", f"{HEADER}m1,u,e,2090-01-01T00:00:00Z\n"))
    stored = Activity.objects.get()
    assert stored.clamped and stored.occurred_at == stored.received_at


BAD = [
    ("m,u,e,2026-02-30T00:00:00Z", "timestamp: Must be a time as in 2026-11-01T10:00:00Z."),
    ("m,u,e,2025-02-29T00:00:00Z", "timestamp: Must be a time as in 2026-11-01T10:00:00Z."),
    ("m,u,e,yesterday", "timestamp: Must be a time as in 2026-11-01T10:00:00Z."),
    ("m,u,e,infinity", "timestamp: Must be a time as in 2026-11-01T10:00:00Z."),
    ("m,u,e,2026-01-01T00:00:00", "timestamp: Needs a time zone, as in 2026-11-01T10:00:00Z."),
    ("m,u,e,1999-12-31T23:59:59Z", "timestamp: Must not be before the year 2000."),
    ("m,u,e,2000-01-01T00:30:00+01:00", "timestamp: Must not be before the year 2000."),
    ("m,u,e,", "timestamp: Is required."),
    ("m,,e,2026-01-01T00:00:00Z", "user_id: Is required."),
    ("m,me,e,2026-01-01T00:00:00Z", "user_id: Must not be the word me, which in the API stands for whoever asks."),
    ("m,u,,2026-01-01T00:00:00Z", "event: Is required."),
    (f"m,{'é' * 129},e,2026-01-01T00:00:00Z", "user_id: Must have at most 128 characters."),
    (f"m,u,{'e' * 201},2026-01-01T00:00:00Z", "event: Must have at most 200 characters."),
    (f"{'m' * 256},u,e,2026-01-01T00:00:00Z", "message_id: Must have at most 255 characters."),
    ("m,u\0,e,2026-01-01T00:00:00Z", "user_id: Must not have a NUL character."),
    ("m,gone,e,2026-01-01T00:00:00Z", "This supplier asked to be forgotten."),
]
BROKEN = [
    (b"m,u,e", "Has 3 columns; the first line names 4."),
    (b"m,u,e,2026-01-01T00:00:00Z,more", "Has 5 columns; the first line names 4."),
    (b"m,\xff,e,2026-01-01T00:00:00Z", "Is not UTF-8."),
    (b'm,"u,e,2026-01-01T00:00:00Z', "A quote is opened and not closed."),
    (b'm,"u"x,e,2026-01-01T00:00:00Z', "Is not CSV: a quote stands where none may."),
    (b"\\.", "Has 1 columns; the first line names 4."),
]


@pytest.mark.parametrize(("line", "reason"), [*((line.encode(), reason) for line, reason in BAD), *BROKEN], ids=lambda value: str(value)[:40])
def test_a_bad_line_stands_in_the_rejects_file_with_its_number_and_the_others_are_taken(db, tmp_path, line, reason):
    Erased.objects.create(digest=suppliers.digest_of("gone"), erased_at=AT)
    path = write(tmp_path / "a.csv", HEADER.encode() + b"a,good,e,2026-01-01T00:00:00Z\n\n" + line + b"\nb,good,e,2026-01-02T00:00:00Z\n")
    run(path)
    assert rejects(path) == [(4, reason)]
    assert Activity.objects.count() == 2
    assert set(Supplier.objects.values_list("external_id", flat=True)) <= {"good", "u"} if "NUL" in reason else {"good"}


GOOD = '{"message_id": "a", "user_id": 7, "event": "e", "timestamp": "2026-01-01T00:00:00Z"}'
OTHER = GOOD.replace('"a"', '"b"')
BAD_JSON = [
    ("{", "Is not JSON."),
    ("[1]", "Is not a JSON object."),
    ("[" * 100_000, "Nests deeper than 32 levels."),
    (GOOD.replace("7", "true"), "user_id: Must be text."),
    (GOOD.replace('"e"', '"e\\u0000"'), "event: Must not have a NUL character."),
    (GOOD.replace('"e"', '"\\ud800"'), "Is not JSON."),
    ('{"type": "alias", "userId": "u"}', "type: Must be track, identify, page, screen or group."),
    ('{"type": "track", "anonymousId": "x", "event": "e"}', "userId: Is required: a message with an anonymousId alone belongs to nobody yet."),
    ('{"type": "track", "userId": "u", "event": "e", "timestamp": "2026-01-01"}', "timestamp: Needs a time zone, as in 2026-11-01T10:00:00Z."),
]


@pytest.mark.parametrize(("line", "reason"), BAD_JSON, ids=lambda value: str(value)[:40])
def test_a_bad_object_stands_in_the_rejects_file(db, tmp_path, line, reason):
    path = write(tmp_path / "a.ndjson", f"{GOOD}\n\n{line}\n{OTHER}\n")
    run(path)
    assert rejects(path) == [(3, reason)]


def test_when_every_line_is_refused_the_command_fails(db, tmp_path, capsys):
    with pytest.raises(CommandError) as failed:
        run(write(tmp_path / "a.csv", f"{HEADER}=1,,,\n"))
    assert failed.value.returncode == 1
    assert "1 read: 0 accepted, 0 duplicates, 1 refused" in capsys.readouterr().out
    assert "'=1,,," in (tmp_path / "a.csv.rejects.csv").read_text()


@pytest.mark.parametrize("content", [b"", b"user_id,event\nu,e\n", gzip.compress(SAMPLE.read_bytes())[:900]], ids=["empty", "column missing", "cut off"])
def test_a_file_that_cannot_be_read_says_so(db, tmp_path, content):
    with pytest.raises(CommandError):
        run(write(tmp_path / "a", content))


def test_lines_without_an_id_are_counted_once_each_however_often_they_are_read(db, tmp_path):
    line = "u,e,2026-01-01T00:00:00Z\n"
    path = write(tmp_path / "a.csv", "user_id,event,timestamp\n" + line * 3 + "v,e,2026-01-01T00:00:00Z\n" + line * 2)
    for lines in ("2", "1", "100"):
        run(path, "--lines", lines)
        assert EventUse.objects.get(supplier__external_id="u").n == 5
    write(path, path.read_text() + line)
    run(path)
    assert EventUse.objects.get(supplier__external_id="u").n == 6


def test_a_supplier_is_first_seen_when_the_file_says_so_wherever_in_the_file(db, tmp_path):
    run(write(tmp_path / "a.csv", HEADER + "".join(f"m{n},u,e,2025-0{9 - n}-01T00:00:00Z\n" for n in range(4))), "--lines", "1")
    first = datetime(2025, 6, 1, tzinfo=UTC)
    assert (Supplier.objects.get().first_seen_at, Facts.objects.get().known_since) == (first, first)


@pytest.mark.parametrize("name", ["m1", "ümläut", "💍" * 100, "x\ny"])
def test_sql_and_python_know_a_message_by_the_same_key(db, name):
    with connection.cursor() as cursor:
        cursor.execute(f"select {import_activity.DIGEST} from (select %(id)s::text as message_id) x", {"source": 42, "id": name})
        assert cursor.fetchone()[0] == uuid.UUID(bytes=messages.digest_of(42, name))


def test_what_was_sent_live_is_not_imported_again(db, tmp_path):
    source = SourceFactory(name="product")
    activity.take([as_segment(line).encode() for line in LINES[:100]], kind=None, source=source, received_at=AT)
    run(SAMPLE, "--rejects", str(tmp_path / "r.csv"))
    assert (Import.objects.get().accepted, Import.objects.get().duplicates) == (len(LINES) - 100, 100)


def test_imports_are_silent(db, tmp_path):
    now = datetime.now(UTC)
    path = write(tmp_path / "a.csv", HEADER + "".join(f"m{n},u{n},Signed In,{(now - timedelta(hours=n)).isoformat()}\n" for n in range(20)))
    run(path)
    assert assessments.assess_touched(at=now).told == 0
    people = write(tmp_path / "s.csv", "id,status\nu1,cancelled\nu2,active\n")
    run(people, command="import_suppliers")
    run(write(people, "id,status\nu1,active\n"), command="import_suppliers")
    assert assessments.assess_touched(at=now).told == 0
    assert not Event.objects.exists()


def test_people_of_a_segment_file_are_known_too(db, tmp_path):
    line = {"type": "identify", "userId": "u", "messageId": "i1", "timestamp": "2026-01-01T00:00:00Z", "traits": {"email": "u@example.org", "plan": "pro"}}
    path = write(tmp_path / "a.ndjson", json.dumps(line) + "\n" + as_segment("m1,u,e,2026-01-02T00:00:00Z"))
    run(path)
    assert (Supplier.objects.get().plan, Contact.objects.get().email, Activity.objects.count()) == ("pro", "u@example.org", 1)


# ---------------------------------------------------------------- killed


def test_an_import_that_is_killed_goes_on_where_it_stopped(committed, tmp_path):
    bad = "x,u,e,never\n"
    path = write(tmp_path / "a.csv", HEADER + "".join(f"m{n},u{n % 7},e,2026-01-01T00:{n % 60:02}:00Z\n" + (bad if n % 10 == 5 else "") for n in range(1000)))
    source = Source.objects.create(name="product")
    with another() as other, another() as watch:
        watch.autocommit = True
        held = uuid.UUID(bytes=messages.digest_of(source.pk, "m700"))
        other.execute("insert into success_messagekey values (%s)", [held])
        child = start(path)
        while not watch.execute("select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()").fetchone():
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
        half = Import.objects.get()
        assert 0 < half.accepted < 700 and Activity.objects.count() == half.accepted
        with (tmp_path / "a.csv.rejects.csv").open("a") as torn:
            torn.write("torn")
        other.rollback()
    finished = start(path)
    assert finished.wait() == 0
    done = Import.objects.get()
    assert (done.accepted, done.duplicates, done.refused, done.started_at) == (1000, 0, 100, half.started_at)
    assert Activity.objects.count() == 1000
    assert len({line for line, _ in rejects(path)}) == len(rejects(path)) == 100


def another():
    return psycopg.connect(url())


def url():
    params = connection.get_connection_params()
    return f"postgresql://{params['user']}:{params.get('password', '')}@{params['host']}:{params['port']}/{params['dbname']}"


def start(path):
    return subprocess.Popen(
        [sys.executable, "manage.py", "import_activity", str(path), "--source", "product", "--lines", "100"],
        cwd=Path(__file__).parent.parent, env={**os.environ, "DATABASE_URL": url(), "DJANGO_SETTINGS_MODULE": "config.settings"}, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def test_one_process_imports_a_file_at_a_time(committed, tmp_path):
    path = write(tmp_path / "a.csv", SAMPLE.read_bytes())
    run(path)
    digest = Import.objects.get().digest
    with another() as other:
        other.execute("select pg_advisory_lock(hashtextextended(%s, 0))", [f"{Source.objects.get().pk} {digest}"])
        with pytest.raises(CommandError, match="Another process"):
            run(path)


# ---------------------------------------------------------------- suppliers

PEOPLE = "user_id,name,email,plan,mrr,internal,created_at,shoe,last_sign_in_at,status,extra\n"


def test_suppliers_have_the_traits_of_their_file(db, tmp_path, capsys):
    CustomField.objects.create(name="shoe")
    text = PEOPLE + "s1,Sarah,s@example.org,pro,49.5,false,2026-01-01T00:00:00Z,42,2026-11-01T00:00:00Z,trial,?\ns2,,,,,,,,,,\n"
    path = write(tmp_path / "s.csv", text)
    run(path, "--column", "id=user_id", command="import_suppliers")
    out = capsys.readouterr().out
    assert "Not taken: extra." in out and "2 read: 2 new, 0 changed, 0 unchanged, 0 refused" in out
    sarah = Supplier.objects.get(external_id="s1")
    assert (sarah.plan, sarah.mrr, sarah.status, sarah.custom, sarah.created_at) == ("pro", 49.5, "trial", {"shoe": 42}, datetime(2026, 1, 1, tzinfo=UTC))
    assert (sarah.contacts.get().name, sarah.contacts.get().is_primary, sarah.facts.last_sign_in_at) == ("Sarah", True, datetime(2026, 11, 1, tzinfo=UTC))
    before = [list(model.objects.order_by("pk").values()) for model in (Supplier, Contact, Facts, DailyUse, MessageKey)]
    run(path, "--column", "id=user_id", command="import_suppliers")
    assert [list(model.objects.order_by("pk").values()) for model in (Supplier, Contact, Facts, DailyUse, MessageKey)] == before
    assert "0 new, 0 changed, 2 unchanged" in capsys.readouterr().out
    run(write(path, '{"userId": "s1", "traits": {"email": "new@example.org"}}\n{"id": "s2", "plan": "basic"}\n'), command="import_suppliers")
    assert (Contact.objects.get().email, Supplier.objects.get(external_id="s2").plan) == ("new@example.org", "basic")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Sarah,pro,1", "id: Is required."),
        ("s,Sarah,pro,much", "mrr: Must be a number from 0."),
        (f"s,{'x' * 201},pro,1", "name: Must have at most 200 characters."),
        ("gone,Sarah,pro,1", "This supplier asked to be forgotten."),
        ("s", "Has 1 columns; the first line names 4."),
    ],
)
def test_a_supplier_that_cannot_be_taken_stands_in_the_rejects_file(db, tmp_path, line, reason):
    Erased.objects.create(digest=suppliers.digest_of("gone"), erased_at=AT)
    path = write(tmp_path / "s.csv", f"id,name,plan,mrr\ngood,A,pro,1\n{line}\n")
    run(path, command="import_suppliers")
    assert rejects(path) == [(3, reason)]
    assert Supplier.objects.get().external_id == "good"


@pytest.mark.parametrize("option", ["plan", "nothing=x", "id=missing"])
def test_a_column_that_is_not_there_is_named(db, tmp_path, option):
    with pytest.raises(CommandError):
        run(write(tmp_path / "s.csv", "id,plan\n"), "--column", option, command="import_suppliers")


# ---------------------------------------------------------------- chunks


@pytest.mark.parametrize("lines", [1, 2, 3, 100])
def test_chunks_end_with_a_record(tmp_path, lines):
    text = 'a,b\n1,"two\nlines"\n2,x\n3,"say ""hi""\n\n"\n4,y'
    with write(tmp_path / "a.csv", text).open("rb") as raw:
        file = File(raw)
        chunks = list(file.chunks(lines=lines))
        found = [(record.line, record.values["a"]) for chunk in chunks for record in file.records(chunk)]
    assert found == [(2, "1"), (4, "2"), (5, "3"), (8, "4")]
    assert b"".join(chunk.data for chunk in chunks) == text.partition("\n")[2].encode()
