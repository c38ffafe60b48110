"""Milestones: what there is to reach, what it takes, who reached it, and what that brought her."""

import uuid
from typing import Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from success.models.history import remembered


class RewardKind(models.TextChoices):
    TRIAL_EXTENSION = "trial_extension", "trial extension"
    CREDIT = "credit", "credit"
    BADGE = "badge", "badge"
    FEATURE_UNLOCK = "feature_unlock", "feature unlocked"
    HUMAN_GIFT = "human_gift", "gift from one of us"


@remembered("name", "words", "kind", "value", "unit", "budget", "most", "expires_days", "due_days", "active", ends=True)
class Reward(models.Model):
    """What a milestone brings: how much of what, and how much of it may be given in all."""

    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    words = models.CharField(max_length=300, blank=True, help_text="what she reads about it")
    kind = models.CharField(max_length=15, choices=RewardKind.choices)
    value = models.FloatField(default=1, validators=[MinValueValidator(0)], help_text="how much, in its unit: counted against the budget")
    unit = models.CharField(max_length=20, blank=True, help_text="days, EUR, or empty")
    budget = models.FloatField(null=True, blank=True, validators=[MinValueValidator(0)], help_text="the sum of values that may be granted; empty: no limit")
    most = models.PositiveIntegerField("at most", null=True, blank=True, help_text="how often it may be granted; empty: no limit")
    expires_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="days within which it has to be redeemed; empty: it stays")
    due_days = models.PositiveSmallIntegerField(default=7, help_text="of a gift: days until the task about it is due")
    active = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(value__gte=0), name="reward_value_is_not_negative")]

    def __str__(self) -> str:
        return self.name


class Celebration(models.TextChoices):
    FULL = "full", "over the page"
    NOTE = "note", "a line at the edge"
    NONE = "none", "none"


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    def ladder(self) -> Self:
        """Those that can be reached, the first first."""
        return self.filter(active=True).order_by("place", "pk")


@remembered(
    "name", "words", "icon", "requirement", "segment", "after", "tier", "due_days", "reward", "celebration", "opens_next", "active", "place", ends=True
)  # fmt: skip
class Milestone(models.Model):
    """Somewhere worth getting to."""

    key = models.SlugField(max_length=40, unique=True, help_text="programs go by it; it does not change")
    name = models.CharField(max_length=80)
    words = models.CharField(max_length=200, help_text="what she reads when she is there; {{ count }} is her own number, where it takes one")
    icon = models.CharField(max_length=40, default="flag", help_text="a name of Material Symbols")
    requirement = models.JSONField(help_text='what it takes, such as {"count": "clients", "at_least": 25}')
    segment = models.ForeignKey(
        "success.Segment", models.PROTECT, null=True, blank=True, related_name="+", help_text="whose it is: nobody else reaches or sees it; empty: everybody's"
    )
    after = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+", help_text="locked until this one is reached")
    tier = models.PositiveSmallIntegerField(default=1, help_text="1, or 2 for the higher one of the same count")
    due_days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="days after sign-up by which most get here; later is behind")
    reward = models.ForeignKey(Reward, models.PROTECT, null=True, blank=True, related_name="milestones")
    celebration = models.CharField(max_length=4, choices=Celebration.choices, default=Celebration.NOTE)
    opens_next = models.CharField("what opens up next", max_length=200, blank=True)
    active = models.BooleanField(default=True, help_text="no longer reached when it is not; who has it keeps it")
    place = models.PositiveSmallIntegerField(default=0, help_text="in the ladder, from the bottom")

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        ordering = ["place", "pk"]
        permissions = [("view_board", "Can see the board: how far many suppliers are at once")]

    def __str__(self) -> str:
        return self.name


class Threshold(models.Model):
    """A height of a counter that the database watches. Made from the requirements, never by hand."""

    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="thresholds")
    kind = models.CharField(max_length=8, help_text="event, clients, feature or features")
    of = models.IntegerField(default=0, help_text="the event's id or the feature's bit")
    n = models.BigIntegerField()
    counter = models.CharField(max_length=220)
    whole = models.BooleanField(help_text="all that the milestone takes; else it is looked at again when this is crossed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "of", "n", "milestone"], name="threshold_once")]


class Achievement(models.Model):
    """A supplier got there: once, and for ever unless somebody takes it back. Written in the transaction of the activity."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="achievements", db_index=False)
    milestone = models.ForeignKey(Milestone, models.PROTECT, related_name="achievements")
    achieved_at = models.DateTimeField(help_text="when what it took had happened")
    known_at = models.DateTimeField(help_text="when we learnt it")
    counter = models.CharField(max_length=220, blank=True, help_text="what was counted")
    n = models.BigIntegerField(default=0)
    message = models.UUIDField(null=True, help_text="the activity that made it true")
    silent = models.BooleanField(default=False, help_text="history: told to nobody")
    announced_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    digested_at = models.DateTimeField(null=True, help_text="when a mail was asked for, because she had not seen it")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    revoked_because = models.CharField(max_length=200, blank=True, default="", db_default="")

    class Meta:
        permissions = [("revoke_achievement", "Can take back an achievement")]
        indexes = [
            models.Index(fields=["known_at", "id"], condition=Q(announced_at=None), name="achievement_unannounced"),
            models.Index(fields=["announced_at"], condition=Q(seen_at=None, digested_at=None, revoked_at=None, silent=False), name="achievement_unseen"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["supplier", "milestone"], include=["achieved_at", "revoked_at"], name="achievement_once"),  # all the ladder reads
            models.CheckConstraint(condition=Q(revoked_at=None) | ~Q(revoked_because=""), name="achievement_revoked_for_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.supplier}: {self.milestone}"


class Touched(models.Model):
    """Part of what a milestone takes has come true of a supplier: the whole is looked at soon."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    milestone = models.ForeignKey(Milestone, models.CASCADE, related_name="+", db_constraint=False, db_index=False)


class Fault(models.Model):
    """The watch over the counters failed; the activity is kept, and the nightly recount makes up for it."""

    at = models.DateTimeField(null=True, help_text="when the activity was received")
    sqlstate = models.CharField(max_length=5)
    error = models.TextField()

    def __str__(self) -> str:
        return self.error[:80]


class GrantState(models.TextChoices):
    PENDING = "pending", "on its way"
    GRANTED = "granted", "hers"
    REDEEMED = "redeemed", "redeemed"
    EXPIRED = "expired", "expired"
    CLAWED_BACK = "clawed_back", "clawed back"
    REFUSED = "refused", "refused by the other system"
    OVER_BUDGET = "over_budget", "not granted: the budget is spent"


SPENDING = (GrantState.PENDING, GrantState.GRANTED, GrantState.REDEEMED)


class GrantQuerySet(models.QuerySet["Grant"]):
    def spending(self) -> Self:
        """Those that count against the budget."""
        return self.filter(state__in=SPENDING)


class Grant(models.Model):
    """A reward given for an achievement: a row of the ledger."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    reward = models.ForeignKey(Reward, models.PROTECT, related_name="grants")
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="grants", db_index=False)
    achievement = models.OneToOneField(Achievement, models.SET_NULL, null=True, related_name="grant")
    value = models.FloatField()
    state = models.CharField(max_length=11, choices=GrantState.choices)
    at = models.DateTimeField("granted")
    expires_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True, help_text="when the other system, or one of us, said that it was done")
    redeemed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="when it expired, was refused or clawed back")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", help_text="who confirmed or refused it, if a person did")
    task = models.ForeignKey("success.Task", models.SET_NULL, null=True, related_name="+")

    objects = GrantQuerySet.as_manager()

    class Meta:
        permissions = [("settle_grant", "Can confirm or refuse a reward that another system was asked for")]
        indexes = [
            models.Index(fields=["supplier", "-at"], name="grant_by_supplier"),
            models.Index(fields=["expires_at"], condition=Q(state=GrantState.GRANTED), name="grant_expiring"),
            models.Index(fields=["at"], condition=Q(state=GrantState.PENDING), name="grant_pending"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=GrantState.values), name="grant_state_is_known"),
            models.CheckConstraint(condition=Q(expires_at=None) | Q(expires_at__gte=F("at")), name="grant_expires_later"),
            models.CheckConstraint(condition=Q(redeemed_at=None) | Q(state__in=[GrantState.REDEEMED, GrantState.CLAWED_BACK]), name="grant_redeemed_or_not"),
        ]

    def __str__(self) -> str:
        return f"{self.reward}: {self.get_state_display()}"
