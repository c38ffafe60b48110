"""Playbooks over the API: what was begun for a supplier and what is next, every decision, and to ask for one."""

from http import HTTPStatus
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from interventions import engine
from interventions.ledger import Gate
from interventions.models import Decision, Ended, Intervention, Outcome, Playbook
from success import clock
from success.api.fields import Text
from success.api.pagination import PageQuery, page
from success.api.views import Strict, SupplierView
from success.models import Supplier
from success.models.due import State

KEY = "Idempotency-Key"


class InterventionBody(serializers.Serializer[Any]):
    """A supplier's run of a playbook. `step` counts from 1; `next_at` is when it is due, null once all are done."""

    playbook = serializers.CharField()
    state = serializers.ChoiceField(["running", *Ended.values])
    step = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class InterventionPage(serializers.Serializer[Any]):
    results = InterventionBody(many=True)
    next = serializers.URLField(allow_null=True)


class GateBody(serializers.Serializer[Any]):
    """Something that has to hold before she is reached, and if it does not, why, and when it could."""

    key = serializers.CharField()
    holds = serializers.BooleanField()
    why = serializers.CharField(required=False)
    next_possible_at = serializers.DateTimeField(required=False)


class AnswerBody(serializers.Serializer[Any]):
    """The run that began, or null and the gates that kept her."""

    intervention = InterventionBody(allow_null=True)
    gates = GateBody(many=True)


class Asked(Strict):
    playbook = Text(max_length=60, help_text="The key of the playbook.")


class DecisionBody(serializers.Serializer[Any]):
    """A decision: `gate` is the first that failed, `gates` all that were asked, `message` what went out or would have."""

    at = serializers.DateTimeField()
    playbook = serializers.CharField()
    version = serializers.IntegerField()
    outcome = serializers.ChoiceField(Outcome.values)
    gate = serializers.CharField(allow_null=True)
    gates = GateBody(many=True)
    next_possible_at = serializers.DateTimeField(allow_null=True)
    health = serializers.DictField(help_text="Status, score, level and parts at that moment; empty where she had none, or was erased.")
    message = serializers.CharField(allow_null=True)


class DecisionPage(serializers.Serializer[Any]):
    results = DecisionBody(many=True)
    next = serializers.URLField(allow_null=True)


class OfSupplier(SupplierView):
    """The latest first; `cursor` is the key of the last one seen."""

    query_serializer = PageQuery

    def found(self, id: str) -> Supplier:
        found = Supplier.objects.filter(external_id=self.supplier(id)).only("pk").first()
        if found is None:
            raise NotFound
        return found

    def listed(self, request: Request, rows: Any, told: Any) -> Response:
        limit, cursor = self.query["limit"], self.query["cursor"]
        kept = list((rows.filter(pk__lt=cursor) if cursor else rows).order_by("-pk")[: limit + 1])
        last = kept[limit - 1].pk if len(kept) > limit else None
        return page(request, [told(row) for row in kept[:limit]], last=last)


class InterventionsView(OfSupplier):
    scopes: ClassVar = {"GET": ("read",), "POST": ("write",)}

    @extend_schema(responses=InterventionPage)
    def get(self, request: Request, id: str) -> Response:
        runs = Intervention.objects.filter(supplier=self.found(id)).select_related("playbook").prefetch_related("due_steps")
        return self.listed(request, runs, run_told)

    @extend_schema(
        request=Asked,
        responses={HTTPStatus.OK: AnswerBody, HTTPStatus.CREATED: AnswerBody},
        parameters=[OpenApiParameter(KEY, str, OpenApiParameter.HEADER, required=True)],
    )
    def post(self, request: Request, id: str) -> Response:
        """Asks for a playbook, through the same gates as everybody: 201 and the run, or 200 and the gates that kept her. The same again for the same key."""
        supplier, asked = self.found(id), self.body(Asked)
        key = request.headers.get(KEY, "").strip()
        if not 1 <= len(key) <= 150 or not key.isprintable():
            raise ValidationError({KEY: "Send a key of your own, up to 150 characters, the same when you repeat the request."})
        playbook = Playbook.objects.filter(key=asked["playbook"]).first()
        if playbook is None:
            raise ValidationError({"playbook": "There is no playbook of this key."})
        run, gates = engine.ask(playbook, supplier.pk, key=f"api:{key}", at=clock.now())
        return Response(answer(run, gates), status=HTTPStatus.CREATED if run else HTTPStatus.OK)


class DecisionsView(OfSupplier):
    scopes: ClassVar = {"GET": ("read",)}

    @extend_schema(responses=DecisionPage)
    def get(self, request: Request, id: str) -> Response:
        return self.listed(request, Decision.objects.filter(supplier=self.found(id)).select_related("playbook"), decision_told)


def answer(run: Intervention | None, gates: list[Gate]) -> dict[str, Any]:
    return {"intervention": run_told(run) if run else None, "gates": [gate.told() for gate in gates]}


def run_told(run: Intervention) -> dict[str, Any]:
    steps = sorted(run.due_steps.all(), key=lambda step: step.place)
    waiting = next((step for step in steps if step.state in (State.QUEUED, State.CLAIMED)), None)
    return {
        "playbook": run.playbook.key,
        "state": run.ended or "running",
        "step": steps[-1].place + 1 if steps else 1,
        "next_at": waiting.due_at if waiting else None,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
    }


def decision_told(one: Decision) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("at", "version", "outcome", "gates", "health", "next_possible_at")}
    return {**told, "playbook": one.playbook.key, "gate": one.gate or None, "message": one.message or None}
