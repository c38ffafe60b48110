"""Milestones and rewards over the API: what a supplier reached, how far she is, and what that brought her."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from milestones import achievements, progress, rewards, wording
from milestones.models import Achievement, Celebration, Grant, GrantState, RewardKind
from milestones.progress import Rung
from success import clock
from success.api.errors import Refusals
from success.api.views import Strict, SupplierView
from success.models import Supplier


class RewardBody(serializers.Serializer[Any]):
    """A reward given; `pending` is on its way, `granted` hers to redeem."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    name = serializers.CharField()
    words = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(RewardKind.choices)
    value = serializers.FloatField()
    unit = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(GrantState.choices)
    milestone = serializers.CharField(allow_null=True)
    granted_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    redeemed_at = serializers.DateTimeField(allow_null=True)


class AchievedBody(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    words = serializers.CharField()
    icon = serializers.CharField()
    achieved_at = serializers.DateTimeField()
    seen_at = serializers.DateTimeField(allow_null=True)
    celebration = serializers.ChoiceField(Celebration.choices)
    reward = RewardBody(allow_null=True)


class ProgressBody(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    current = serializers.IntegerField()
    target = serializers.IntegerField()
    state = serializers.ChoiceField(progress.STATES)
    due_at = serializers.DateTimeField(allow_null=True)


class NextBody(ProgressBody):
    takes = serializers.CharField()
    icon = serializers.CharField()


class MilestonesBody(serializers.Serializer[Any]):
    """What a supplier reached, the next to reach, and how far she is with each."""

    achieved = AchievedBody(many=True)
    next = NextBody(allow_null=True)
    progress = ProgressBody(many=True)


class RewardsBody(serializers.Serializer[Any]):
    results = RewardBody(many=True)
    next = serializers.URLField(allow_null=True)


class Nothing(Strict):
    """An empty body."""


class ConfirmBody(Strict):
    done = serializers.BooleanField(help_text="Whether the reward was carried out; false: it was refused.")


class OfSupplier(SupplierView):
    def key(self, id: str) -> int:
        found = Supplier.objects.filter(external_id=self.supplier(id)).values_list("pk", flat=True).first()
        if found is None:
            raise NotFound
        return found


class MilestonesView(OfSupplier):
    scopes: ClassVar = {"GET": ("read", "own")}

    @extend_schema(responses=MilestonesBody)
    def get(self, request: Request, id: str) -> Response:
        """How far a supplier is, from everything committed before the request."""
        climb = progress.climb(self.key(id), at=clock.now())
        following = climb.next
        told = {"takes": following.takes, "icon": following.milestone.icon} if following else {}
        return Response(
            {
                "achieved": [achieved(one) for one in climb.achieved],
                "next": rung(following) | told if following else None,
                "progress": [rung(one) for one in climb.rungs],
            }
        )


class SeenView(OfSupplier):
    scopes: ClassVar = {"POST": ("own",)}

    @extend_schema(request=Nothing, responses=AchievedBody)
    def post(self, request: Request, id: str, key: str) -> Response:
        """She has seen the celebration, and with it all that it was about; the first time counts."""
        supplier, _ = self.key(id), self.body(Nothing)
        found = achievements.see(supplier=supplier, milestone=key, at=clock.now())
        if found is None:
            raise NotFound
        return Response(achieved(found))


def grant_id(said: str) -> UUID:
    try:
        return UUID(said)
    except ValueError:
        raise NotFound from None


class RewardsView(OfSupplier):
    scopes: ClassVar = {"GET": ("own",)}

    @extend_schema(responses=RewardsBody)
    def get(self, request: Request, id: str) -> Response:
        """All that a supplier was given, the latest first."""
        return Response({"results": [reward(one) for one in rewards.of_supplier(self.key(id))], "next": None})


class RedeemView(OfSupplier):
    scopes: ClassVar = {"POST": ("own",)}

    @extend_schema(request=Nothing, responses=RewardBody)
    def post(self, request: Request, id: str, reward_id: str) -> Response:
        """The reward is redeemed. Sending it again is safe: it is redeemed once."""
        supplier, _ = self.key(id), self.body(Nothing)
        try:
            return Response(reward(rewards.redeem(supplier=supplier, grant=grant_id(reward_id), at=clock.now())))
        except rewards.NotHers:
            raise NotFound from None
        except rewards.NotRedeemable as refusal:
            raise Refusals([{"pointer": "", "detail": str(refusal.__doc__)}]) from None


class ConfirmView(OfSupplier):
    scopes: ClassVar = {"POST": ("write",)}

    @extend_schema(request=ConfirmBody, responses=RewardBody)
    def post(self, request: Request, id: str, reward_id: str) -> Response:
        """The system that was asked by `milestones.reward_granted` says what became of it. Sending it again is safe."""
        supplier, said = self.key(id), self.body(ConfirmBody)
        try:
            return Response(reward(rewards.confirm(supplier=supplier, grant=grant_id(reward_id), done=said["done"], at=clock.now())))
        except rewards.NotHers:
            raise NotFound from None
        except rewards.NotPending as refusal:
            raise Refusals([{"pointer": "", "detail": str(refusal.__doc__)}]) from None


# ---------------------------------------------------------------- as they are shown


def achieved(one: Achievement) -> dict[str, Any]:
    grant = getattr(one, "grant", None)
    about = {"key": one.milestone.key, "name": one.milestone.name, "words": wording.counted(one), "icon": one.milestone.icon}
    shown = reward(grant) if grant and grant.state != GrantState.OVER_BUDGET else None
    return about | {"achieved_at": one.achieved_at, "seen_at": one.seen_at, "celebration": one.milestone.celebration, "reward": shown}


def rung(one: Rung) -> dict[str, Any]:
    about = {"key": one.milestone.key, "name": one.milestone.name}
    return about | {"current": one.current, "target": one.target, "state": one.state, "due_at": one.due_at}


def reward(grant: Grant) -> dict[str, Any]:
    of, why = grant.reward, grant.achievement
    return {
        "id": str(grant.public_id), "key": of.key, "name": of.name, "words": of.words, "kind": of.kind, "value": grant.value, "unit": of.unit,
        "state": grant.state, "milestone": why.milestone.key if why else None, "granted_at": grant.at, "expires_at": grant.expires_at,
        "redeemed_at": grant.redeemed_at,
    }  # fmt: skip
