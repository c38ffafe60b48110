"""Customers from a file, through the console."""

import csv
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from success import clock, privacy
from success.imports import uploads
from success.models import Contact, Event, Source, Supplier, Upload
from tests.factories import ContactFactory, StaffFactory, SupplierFactory

HEAD = "Account ID,Name,E-Mail,Plan,MRR\n"
SAID = HEAD + "a1,Anna Berg,anna@example.com,pro,49\na2,Ben Ito,ben@example.com,pro,lots\na3,=cmd,cleo@example.com,basic,19\n"


@pytest.fixture
def lead(db, client):
    lead = StaffFactory()
    lead.groups.add(Group.objects.get(name="lead"))
    client.force_login(lead)
    return lead


def send(client, text, name="customers.csv"):
    return client.post(reverse("console:uploads"), {"file": SimpleUploadedFile(name, text.encode())}, follow=True)


def go_on(client, upload):
    return client.post(reverse("console:upload_take", args=[upload.pk]), follow=True)


def test_a_file_is_looked_at_imported_and_what_was_not_taken_is_had_back(client, lead):
    page = send(client, SAID).text
    assert "2 can be taken, 1 not" in page and "Anna Berg" in page and "Line 3: mrr" in page
    assert not Supplier.objects.exists()
    assert "2 new, 0 changed, 0 as they were, 1 not taken" in go_on(client, Upload.objects.get()).text
    assert dict(Supplier.objects.values_list("external_id", "plan")) == {"a1": "pro", "a3": "basic"}
    assert Contact.objects.get(supplier__external_id="a1").email == "anna@example.com"
    upload = Upload.objects.get()
    assert upload.content is None
    assert not Event.objects.exists()  # silent
    answer = client.get(reverse("console:upload_rejects", args=[upload.pk])).text
    assert [row["line"] for row in csv.DictReader(answer.splitlines())] == ["3"]
    assert "2 new" in go_on(client, upload).text  # asked again it changes nothing
    assert Supplier.objects.count() == 2


def test_columns_are_chosen_by_hand(client, lead):
    assert "Choose the column that holds the id" in send(client, "Kunde,Tarif\na1,pro\n").text
    upload = Upload.objects.get()
    page = client.post(reverse("console:upload", args=[upload.pk]), {"id": "Kunde", "plan": "Tarif"}, follow=True).text
    assert "1 can be taken, 0 not" in page
    go_on(client, upload)
    assert Supplier.objects.get().plan == "pro"


def test_a_column_left_out_is_not_read(client, lead):
    send(client, SAID)
    upload = Upload.objects.get()
    client.post(reverse("console:upload", args=[upload.pk]), {"id": "Account ID", "plan": ""})
    go_on(client, upload)
    assert set(Supplier.objects.values_list("external_id", "plan")) == {("a1", ""), ("a2", ""), ("a3", "")}


def test_it_goes_on_chunk_by_chunk_from_where_it_stood(client, lead):
    send(client, "id,plan,name\n" + "".join(f"a{n},pro,Anna {'Berg' * 15}\n" for n in range(1200)))
    upload = Upload.objects.get()
    counts = []
    while upload.finished_at is None:
        upload = uploads.take_next(upload.pk, at=clock.now())
        counts.append(upload.created)
    assert len(counts) > 2 and counts == sorted(set(counts)) and counts[-1] == Supplier.objects.count() == 1200


@pytest.mark.parametrize(
    ("text", "said"),
    [("id,id\n1,2\n", "name each column once"), ("", "empty"), ("x" * (uploads.LARGEST + 1), "larger than 5 MB")],
    ids=["twice", "empty", "large"],
)
def test_what_is_no_file_of_customers(client, lead, text, said):
    assert said in send(client, text).text
    assert not Upload.objects.exists()


def test_uploads_do_not_stay(client, lead):
    send(client, SAID)
    waiting, at = Upload.objects.get(), clock.now()
    assert uploads.forget(at=at + timedelta(hours=23)) == 0
    assert uploads.forget(at=at + timedelta(hours=25)) == 1
    send(client, SAID)
    go_on(client, Upload.objects.exclude(pk=waiting.pk).get())
    assert uploads.forget(at=at + timedelta(days=6)) == 0
    assert uploads.forget(at=at + timedelta(days=8)) == 1


@pytest.mark.parametrize("imported", [True, False], ids=["imported", "waiting"])
def test_who_is_erased_goes_from_the_uploads_too(client, lead, imported):
    ContactFactory(supplier=SupplierFactory(external_id="ben"), email="ben@example.com")
    send(client, SAID)
    if imported:
        go_on(client, Upload.objects.get())
    privacy.erase("ben", at=clock.now(), opaque="forgotten-1")
    assert not Upload.objects.exists()


def test_two_at_once_import_each_line_once(committed):
    source = Source.objects.create(name="uploads")
    content = ("id,plan\n" + "".join(f"a{n},pro\n" for n in range(1200))).encode()
    upload = uploads.receive(name="c.csv", content=content, source=source, by=StaffFactory(), at=clock.now())
    together = Barrier(4)

    def one():
        together.wait()
        while uploads.take_next(upload.pk, at=clock.now()).finished_at is None:
            pass
        connection.close()

    threads = [Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    upload.refresh_from_db()
    assert (upload.created, upload.changed, upload.unchanged, upload.refused) == (1200, 0, 0, 0)


def test_uploading_is_for_leads(client, lead):
    send(client, SAID)
    upload = Upload.objects.get()
    lead.groups.set([Group.objects.get(name="success manager")])
    for name, args in (("uploads", []), ("upload", [upload.pk]), ("upload_rejects", [upload.pk])):
        assert client.get(reverse(f"console:{name}", args=args)).status_code == 403
    assert client.post(reverse("console:upload_take", args=[upload.pk])).status_code == 403
