"""The first page of an empty installation: from nothing to one's own events, customers and colleagues. Each step is ticked by fact."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.console.pages import console, page
from success import db, keys
from success.models import ApiKey, Source, Supplier

KEYS = 5  # listed
OWN = "not exists (select 1 from success_source d where d.id = s.source_id and d.is_demo)"
FIRST_EVENT = f"""select s.id, s.external_id, e.name, u.last_at from success_supplier s
    join success_eventuse u on u.supplier_id = s.id join success_eventname e on e.id = u.event_id
    where s.id = (select s.id from success_facts f join success_supplier s on s.id = f.supplier_id where f.first_activity_at is not null and {OWN} limit 1)
    order by u.last_at desc limit 1"""
DONE = f"""select exists (select 1 from success_apikey k join success_source c on c.id = k.source_id where k.revoked_at is null and not c.is_demo)
    and exists (select 1 from success_facts f join success_supplier s on s.id = f.supplier_id where f.first_activity_at is not null and {OWN})
    and (select count(*) from (select 1 from success_supplier s where {OWN} limit 2) x) = 2
    and (select count(*) from (select 1 from auth_user where is_active and is_staff limit 2) x) = 2"""


@dataclass(frozen=True, slots=True)
class FirstEvent:
    supplier: int
    called: str
    event: str
    at: object


@dataclass(frozen=True, slots=True)
class Progress:
    """What of the start is done."""

    keys: list[ApiKey]
    event: FirstEvent | None
    customers: int
    colleagues: int


def done() -> bool:
    """Whether every step was taken."""
    return bool(db.rows(DONE)[0][0])


def progress() -> Progress:
    found = db.rows(FIRST_EVENT)
    return Progress(
        keys=list(
            ApiKey.objects.filter(revoked_at=None, source__is_demo=False)
            .select_related("source")
            .order_by(F("last_used_at").desc(nulls_last=True), "-pk")[:KEYS]
        ),
        event=FirstEvent(*found[0]) if found else None,
        customers=db.rows(f"select count(*) from (select 1 from success_supplier s where {OWN} limit 2) x")[0][0],
        colleagues=get_user_model().objects.filter(is_active=True, is_staff=True).count(),
    )


def empty() -> bool:
    """Whether nothing was ever told us of anybody."""
    return not Supplier.objects.exists()


@console("success.add_apikey", methods=("GET", "POST"))
def start(request: HttpRequest) -> HttpResponseBase:
    """The steps; sent, a key is made and shown this once, filled into what is to be tried next."""
    made = ""
    if request.method == "POST":
        source, _ = Source.objects.get_or_create(name="product")
        made = keys.create(source=source, name="product", scopes=["ingest", "read"], created_by=request.user.pk)[1]
    template = "first_event" if "fragment" in request.GET else "start"
    return page(request, template, title="Start", key=made or "YOUR_KEY", made=made, progress=progress(), base_url=settings.BASE_URL)
