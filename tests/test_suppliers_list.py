"""The list of suppliers: what narrows it, views of it that are kept, what it leaves out, its export, and the way back."""

import csv
from datetime import date, timedelta
from urllib.parse import urlencode

import msgspec
import pytest
from django.core.cache import cache
from django.urls import reverse

from config.console import charts, listing
from health import assessments
from health.models import Snapshot
from success import activity, catalogue, clock, privacy, saved_views
from success.models import Colleague, CustomField, SavedView, Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.test_admin import staff
from tests.test_console import LIST, maya, named  # noqa: F401 - a fixture

SAVE = reverse("console:view_save")


@pytest.fixture
def suppliers(maya, db):  # noqa: F811
    """One of each kind that a filter tells apart."""
    now = clock.now()
    for name, about in {
        "soon": {"status": "trial", "trial_ends_at": now + timedelta(days=3), "owner": maya, "plan": "studio"},
        "later": {"status": "trial", "trial_ends_at": now + timedelta(days=20), "custom": {"region": "north", "seats": 5}},
        "over": {"status": "trial", "trial_ends_at": now - timedelta(days=2)},
        "renews": {"renews_at": now + timedelta(days=5), "custom": {"region": "south", "seats": 50, "agreed": True}},
        "was-trial": {"trial_ends_at": now + timedelta(days=3), "vertical": "florist"},
        "left": {"status": "cancelled", "plan": "studio"},
        "paused": {"status": "paused"},
        "ours": {"internal": True},
        "ours-left": {"internal": True, "status": "cancelled"},
    }.items():
        ContactFactory(supplier=SupplierFactory(external_id=name, **about), name=f"{name} Lund")
    for name in ("region", "seats", "agreed"):
        CustomField.objects.create(name=name)
    activity.take([msgspec.json.encode({"type": "track", "userId": "soon", "event": "Signed In"})], kind=None, source=SourceFactory(), received_at=now)
    assessments.assess(at=now)


SERVED = {"soon", "later", "over", "renews", "was-trial"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", SERVED),
        ("trial=7", {"soon"}),
        ("trial=30", {"soon", "later"}),
        ("trial=over", {"over"}),
        ("renews=7", {"renews"}),
        ("renews=4", set()),
        ("owner=none&trial=30", {"later"}),
        ("custom.region=north", {"later"}),
        ("custom.seats=5", {"later"}),
        ("custom.agreed=true", {"renews"}),
        ("custom.region=nowhere", set()),
        ("status=trial", {"soon", "later", "over"}),
        ("status=cancelled", {"left"}),
        ("status=paused", {"paused"}),
        ("stage=lost", {"left"}),
        ("signs=left_out", {"left", "paused", "ours", "ours-left"}),
        ("signs=everybody", SERVED | {"left", "paused", "ours", "ours-left"}),
        ("plan=studio", {"soon"}),
        ("plan=studio&signs=everybody", {"soon", "left"}),
        ("vertical=florist", {"was-trial"}),
        ("q=lund&plan=studio", {"soon"}),
        ("level=critical&q=soon", {"soon"}),
    ],
)
def test_filters(client, suppliers, query, found):
    assert named(client, query) == found


def test_what_nobody_chose_does_not_stay_in_the_address(client, suppliers):
    answer = client.get(f"{LIST}?level=&stage=&trial=7&custom.region=&q=")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}?trial=7")
    assert client.get(f"{LIST}?plan=a%00b").status_code == 400


@pytest.mark.parametrize("query", ["trial=soon", "renews=-1", "renews=99999", "custom.none=1", "trial=0"])
def test_what_cannot_be_asked_leads_to_the_list(client, suppliers, query):
    assert client.get(f"{LIST}?{query}", follow=True).redirect_chain == [(f"{LIST}?e=1", 302)]
    assert client.get(f"{reverse('console:export')}?{query}").headers["Location"] == LIST


def above(client, query):
    """What narrows a list, in words, each with the address of the list without it."""
    return {one.words: one.without for one in client.get(f"{LIST}?{query}").context["cl"].narrowed}


def test_what_narrows_the_list_is_said_and_taken_away_one_by_one(client, maya, suppliers):  # noqa: F811
    maya.first_name = "Maya"
    maya.save()
    said = above(client, "level=critical&trial=7&owner=maya&custom.region=north&plan=pro&q=lund&o=1&p=0")
    assert list(said) == ["critical", "Maya's", "on trial ending within 7 days", "on plan pro", "region: north", "found by “lund”"]
    assert said["on plan pro"] == f"{LIST}?custom.region=north&level=critical&o=1&owner=maya&q=lund&trial=7"
    for query, words in {
        "owner=mine": "mine", "owner=none": "nobody's", "level=none": "no score", "stage=at_end": "ends soon", "trial=over": "on a trial that is over",
        "renews=45": "renewing within 45 days", "signs=left_out": "cancelled, paused or internal", "vertical=florist": "trade florist",
        "trial=21": "on trial ending within 21 days",
    }.items():  # fmt: skip
        assert list(above(client, query)) == [words]


def test_a_custom_field_with_few_values_is_chosen_with_many_typed(client, suppliers):
    def field(name):
        specs = {spec.parameter_name: spec for spec in client.get(LIST).context["cl"].filter_specs}
        return next(iter(specs[f"custom.{name}"].choices(None)))["form"].fields[f"custom.{name}"]

    assert dict(field("region").choices) == {"": "any", "north": "north", "south": "south"}
    for n in range(30):
        SupplierFactory(custom={"region": f"region {n}"})
    cache.clear()  # a minute later
    assert not hasattr(field("region"), "choices") and hasattr(field("seats"), "choices")


def test_the_list_says_whom_it_leaves_out(client, suppliers):
    def left_out(query):
        return client.get(f"{LIST}?{query}").context["cl"].left_out

    assert left_out("") == {"cancelled": 1, "paused": 1, "internal": 2}
    assert left_out("plan=studio") == {"cancelled": 1}
    assert left_out("q=ours") == {"internal": 2}
    assert left_out("status=cancelled") == {"internal": 1}
    assert left_out("signs=left_out") == left_out("signs=everybody") == left_out("level=critical") == {}
    page = client.get(f"{LIST}?plan=studio").text
    assert "Left out: 1 cancelled" in page and f"{LIST}?plan=studio&amp;signs=left_out" in page
    assert named(client, "plan=studio&signs=left_out") == {"left"}


def test_who_keeps_to_her_own_book_sees_no_value_or_number_of_others(client, maya, suppliers):  # noqa: F811
    Colleague.objects.create(user=maya, own_book_only=True)
    tom = StaffFactory(username="tom", first_name="Tombola")
    SupplierFactory(owner=tom, custom={"region": "secret-place"}, plan="secret-plan", vertical="secret-trade", status="cancelled")
    answer = client.get(f"{LIST}?signs=everybody")
    assert {supplier.external_id for supplier in answer.context["cl"].queryset} == {"soon"}
    assert client.get(LIST).context["cl"].left_out == {}
    for word in ("secret-", "north", "Tombola", "florist", "Unassigned"):
        assert word not in answer.text
    assert named(client, "custom.region=secret-place") == named(client, "owner=tom") == set()


# ---------------------------------------------------------------- views


def keep(client, query, name="Mine", **more):
    return client.post(f"{SAVE}?{query}", {"name": name, **more}, follow=True)


def tab(client, name, query=""):
    return next((tab for tab in client.get(f"{LIST}?{query}").context["cl"].tabs if tab.name == name), None)


def test_a_view_is_kept_opened_renamed_and_deleted(client, maya, suppliers):  # noqa: F811
    answer = keep(client, "trial=7&plan=studio&o=-2.1&q=lund", "Studios on trial")
    assert answer.redirect_chain == [(f"{LIST}?o=-2.1&plan=studio&q=lund&trial=7", 302)]
    assert "“Studios on trial” stands above the list" in answer.text
    view = SavedView.objects.get()
    assert view.query == {"trial": "7", "plan": "studio", "q": "lund", "o": "-level.called"}
    assert tab(client, "Studios on trial").link == f"{LIST}?o=-2.1&plan=studio&q=lund&trial=7"
    assert tab(client, "Studios on trial", "q=lund&plan=studio&trial=7&o=-2.1&p=1").here
    assert not tab(client, "Studios on trial", "trial=7").here
    keep(client, "trial=30", "Studios on trial")
    assert SavedView.objects.get().query == {"trial": "30"}
    client.post(reverse("console:view_change", args=[view.pk]), {"name": "Trials"})
    assert SavedView.objects.get().name == "Trials"
    keep(client, "trial=over", "Over")
    assert "Choose another" in client.post(reverse("console:view_change", args=[view.pk]), {"name": "Over"}).text
    client.post(reverse("console:view_delete", args=[view.pk]))
    assert list(SavedView.objects.values_list("name", flat=True)) == ["Over"]


def test_a_view_keeps_nothing_but_what_the_list_knows(client, suppliers):
    keep(client, urlencode({"trial": "7", "next": "https://evil.example", "owner__password": "x", "e": "1", "p": "3", "o": "99.x.-1'", "level": ""}))
    assert SavedView.objects.get().query == {"trial": "7", "o": "-called"}
    SavedView.objects.update(query={"trial": "7", "gone": "1", "custom.gone": "1", "o": "-called.gone"})
    assert tab(client, "Mine").link == f"{LIST}?o=-1&trial=7"


def test_built_in_views(client, maya, suppliers):  # noqa: F811
    SupplierFactory(external_id="asleep", owner=maya)
    assessments.assess(at=clock.now())
    found = {}
    for name, _ in listing.BUILT_IN:
        answer = client.get(tab(client, name).link)
        found[name] = {supplier.external_id for supplier in answer.context["cl"].queryset}
        assert answer.context["cl"].here.name == name
    assert found["My critical"] == {"soon", "asleep"} and found["Trials ending this week"] == {"soon"} and "later" in found["Unassigned"]


def test_what_is_shared_is_found_by_all_but_those_who_keep_to_their_own_book(client, maya, suppliers):  # noqa: F811
    keep(client, "trial=30", "Private")
    keep(client, "trial=30", "Trials", shared="on")
    tom = staff(client, "success manager")
    assert tab(client, "Private") is None
    assert (tab(client, "Trials").by, tab(client, "Trials").change) == ("maya", None)
    assert named(client, "trial=30") == {"soon", "later"}
    Colleague.objects.create(user=tom, own_book_only=True)
    assert tab(client, "Trials") is None  # its name may be a supplier's


@pytest.mark.parametrize(
    ("role", "shared", "may"), [("success manager", True, False), ("success manager", False, False), ("lead", True, True), ("lead", False, False)]
)
def test_a_view_is_its_makers_and_a_lead_may_change_shared_ones(client, maya, role, shared, may):  # noqa: F811
    view = saved_views.save(name="Trials", query={"trial": "7"}, shared=shared, opens_first=True, by=maya, at=clock.now())
    staff(client, role)
    urls = [reverse(f"console:{name}", args=[view.pk]) for name in ("view_change", "view_delete")]
    assert {client.get(urls[0]).status_code, client.post(urls[0], {"name": "Changed", "shared": "on"}).status_code} == ({200, 302} if may else {404})
    assert SavedView.objects.get().opens_first  # is the maker's own affair
    assert client.post(urls[1]).status_code == (302 if may else 404)
    assert SavedView.objects.exists() != may


def test_the_sidebar_leads_to_the_view_one_begins_with(client, maya, suppliers):  # noqa: F811
    keep(client, "trial=7", "Trials", opens_first="on")
    assert f'href="{LIST}?trial=7"' in client.get("/admin/").text
    keep(client, "level=critical", "Critical", opens_first="on")
    assert f'href="{LIST}?level=critical"' in client.get("/admin/").text
    staff(client, "lead")
    assert f'href="{LIST}"' in client.get("/admin/").text


@pytest.mark.parametrize(
    ("kept", "gone"), [({"q": "soon@x.example"}, True), ({"q": "SOON LUND"}, True), ({"q": "soon"}, True), ({"q": "so"}, False), ({"trial": "7"}, False)]
)
def test_who_is_erased_is_in_no_search_that_is_kept(maya, suppliers, kept, gone):  # noqa: F811
    Supplier.objects.get(external_id="soon").contacts.update(email="soon@x.example")
    saved_views.save(name="Look", query=kept, shared=False, opens_first=False, by=maya, at=clock.now())
    privacy.erase("soon", at=clock.now(), opaque="forgotten-1")
    assert SavedView.objects.exists() != gone


def test_hostile_words_stay_words(client, suppliers):
    evil = "<img src=x onerror=alert(1)>"
    CustomField.objects.create(name=evil)
    catalogue.forget()
    Supplier.objects.filter(external_id="soon").update(custom={evil: evil}, plan=evil)
    said = keep(client, urlencode({f"custom.{evil}": evil, "q": evil, "plan": evil}), evil, shared="on").text
    assert "<img src=x" not in said and "&lt;img src=x onerror=alert(1)&gt;” stands above the list" in said
    page = client.get(f"{LIST}?{urlencode({f'custom.{evil}': evil, 'plan': evil})}").text
    assert "<img src=x" not in page and "&lt;img src=x" in page
    assert "<img src=x" not in client.get(reverse("console:view_change", args=[SavedView.objects.get().pk])).text


# ---------------------------------------------------------------- the score over 90 days


LAST = date(2026, 11, 20)


def days(*points):
    return [(LAST - timedelta(days=before), score) for before, score in points]


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (days((90, 72.4), (3, 51), (0, 41.2)), "from 72 to 41 in 90 days"),
        (days((120, 10), (90, 72), (0, 72)), "from 10 to 72 in 90 days"),  # what it opens with stands on its first day
        (days((30, 20), (0, 90)), "from 20 to 90 in 30 days"),
        (days((80, 60), (50, 40), (20, None)), "from 60 to 40 in 60 days"),  # she left three weeks ago
        (days((0, 41)), ""),
        (days((9, None), (0, 41)), ""),
        ([], ""),
    ],
)
def test_a_sparkline_says_from_what_to_what(points, said):
    drawn = charts.sparkline(points, first=LAST - timedelta(days=90), last=LAST)
    assert (f'aria-label="{said}"' in drawn) if said else drawn == ""


def test_each_line_shows_its_score_over_90_days(client, suppliers, django_assert_num_queries):
    today = clock.now().date()
    soon = Supplier.objects.get(external_id="soon")
    blank = {"status": "ok", "scorecard": "ws142", "version": 1, "level": "healthy"}
    for days, score in ((200, 10.0), (95, 72.4), (40, 80.0), (3, 51.0)):
        Snapshot.objects.create(supplier=soon, day=today - timedelta(days=days), score=score, **blank)
    soon.assessment.score = 41.2
    soon.assessment.save()
    page = client.get(LIST).text
    assert 'aria-label="from 72 to 41 in 90 days"' in page
    assert page.count("cs-spark") == 1  # of the others nothing is known yet
    suppliers = list(Supplier.objects.select_related("assessment"))
    with django_assert_num_queries(1):
        listing.with_trends(suppliers)


# ---------------------------------------------------------------- export


def exported(client, query=""):
    answer = client.get(f"{reverse('console:export')}?{query}")
    return list(csv.DictReader(b"".join(answer.streaming_content).decode().splitlines()))


def test_all_that_is_filtered_is_exported_whatever_page_one_is_on(client, suppliers):
    SupplierFactory.create_batch(120, plan="many", custom={"region": "=cmd"})
    rows = exported(client, "plan=many&p=2")
    assert len(rows) == 120 and {row["region"] for row in rows} == {"'=cmd"}
    page = client.get(f"{LIST}?plan=many&p=2").text
    assert "Export these 120" in page and f"{reverse('console:export')}?plan=many" in page
    assert {row["id"] for row in exported(client)} >= SERVED and "left" not in {row["id"] for row in exported(client)}


def test_an_export_keeps_to_the_own_book(client, maya, suppliers):  # noqa: F811
    Colleague.objects.create(user=maya, own_book_only=True)
    assert [row["id"] for row in exported(client, "signs=everybody")] == ["soon"]


# ---------------------------------------------------------------- the way back


def test_the_way_back_leads_to_the_page_of_the_view_with_the_search(client, suppliers):
    for n in range(60):
        ContactFactory(supplier=SupplierFactory(plan="many"), name=f"Berg {n}")
    keep(client, "plan=many&q=Berg&o=-1", "Bergs")
    where = f"{tab(client, 'Bergs').link}&p=2"
    page = client.get(where)
    one = page.context["cl"].result_list[0]
    url = next(part for part in page.text.split('"') if part.startswith(f"/admin/suppliers/{one.pk}/?from")).replace("&amp;", "&")
    assert f'href="{where.replace("&", "&amp;")}"' in client.get(url).text
    again = client.get(where)
    assert again.context["cl"].here.name == "Bergs" and one in list(again.context["cl"].result_list)


def test_the_list_asks_the_database_little(client, suppliers, django_assert_max_num_queries):
    for n in range(50):
        ContactFactory(supplier=SupplierFactory(external_id=f"many-{n}", custom={"region": str(n)}))
    keep(client, "level=critical", shared="on")
    client.get(LIST)
    with django_assert_max_num_queries(30):
        assert client.get(f"{LIST}?custom.region=3&owner=none").status_code == 200
