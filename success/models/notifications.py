"""What we say to suppliers and to our own people: templates, the in-app inbox, letters on their way, and who wants none."""

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, BigIntegerRangeField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from success.models.due import DueRow, State
from success.models.history import remembered


class Category(models.TextChoices):
    """What a message is about, as suppliers choose it. `staff` is for our own people, who are not asked."""

    TIPS = "tips", "Tips: the next thing that helps"
    MILESTONES = "milestones", "What you reached"
    REWARDS = "rewards", "Your rewards"
    CALLS = "calls", "Your calls with us"
    STAFF = "staff", "To our own people"


@remembered(
    "category", "subject", "text", "button", "link", "in_app_title", "in_app_text", "cap_days", "good_for_days", ends=True,
)  # fmt: skip
class MessageTemplate(models.Model):
    """What is said, with values left open, in Liquid. A mail is the subject, paragraphs and at most one button."""

    key = models.SlugField(max_length=80, unique=True)
    category = models.CharField(max_length=10, choices=Category.choices)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField("mail", blank=True, help_text="Paragraphs with an empty line between. Write {{ first_name }} where a value goes.")
    button = models.CharField(max_length=60, blank=True, help_text="The words of the one button; empty for none")
    link = models.CharField("where the button leads", max_length=500, blank=True, help_text="An address, or {{ link }}. Comes out empty: no button.")
    in_app_title = models.CharField("title in the product", max_length=120, blank=True)
    in_app_text = models.CharField("text in the product", max_length=500, blank=True)
    cap_days = models.PositiveSmallIntegerField("days between two", default=7, help_text="A supplier has at most one of these in so many days; 0 for no limit")
    good_for_days = models.PositiveSmallIntegerField("good for days", default=3, help_text="What could not be sent in time is dropped")
    example = models.JSONField(default=dict, blank=True, help_text="Values for the preview")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(category__in=Category.values), name="template_category_is_known"),
            models.CheckConstraint(condition=Q(good_for_days__gte=1), name="template_is_good_for_a_day"),
        ]

    def __str__(self) -> str:
        return self.key


class Notification(models.Model):
    """One message in a supplier's inbox within the product."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="+")
    template = models.ForeignKey(MessageTemplate, models.PROTECT, related_name="+")
    category = models.CharField(max_length=10, choices=Category.choices)
    key = models.CharField(max_length=200, unique=True)
    cause = models.CharField(max_length=200, blank=True)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    link = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(help_text="from then on it is shown")
    read_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="what it was about is gone")

    class Meta:
        indexes = [
            models.Index(fields=["supplier", "at"], name="notification_by_supplier"),
            models.Index(fields=["cause"], condition=~Q(cause=""), name="notification_cause"),
        ]

    def __str__(self) -> str:
        return self.title


class Send(DueRow):
    """One message on its way over one channel, to a supplier or to one of us. What is sent is written down before it is sent."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", verbose_name="to one of us")
    template = models.ForeignKey(MessageTemplate, models.PROTECT, related_name="+")
    channel = models.CharField(max_length=10)
    category = models.CharField(max_length=10, choices=Category.choices)
    key = models.CharField(max_length=200)
    cause = models.CharField(max_length=200, blank=True)
    context = models.JSONField(default=dict)
    at = models.DateTimeField("asked for at")
    latest_at = models.DateTimeField("too late after")
    overrule = models.CharField(max_length=200, blank=True, help_text="why the days between two, quiet hours and a pause do not count")
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField(blank=True)
    button = models.CharField(max_length=200, blank=True)
    link = models.CharField(max_length=1000, blank=True)
    frozen_at = models.DateTimeField("written at", null=True)
    message_id = models.CharField(max_length=200, blank=True)
    gate = models.CharField(max_length=20, blank=True, help_text="what held it back, first of all")
    gates = ArrayField(models.CharField(max_length=20), default=list)

    class Meta(DueRow.Meta):
        verbose_name_plural = "messages sent"
        permissions = [("stop_send", "Can stop and resume all sending")]
        indexes = [
            *DueRow.Meta.indexes,
            models.Index(fields=["supplier", "at"], name="send_by_supplier"),
            models.Index(fields=["cause"], condition=Q(state=State.QUEUED) & ~Q(cause=""), name="send_cause"),
        ]
        constraints = [
            *DueRow.Meta.constraints,
            models.UniqueConstraint(fields=["key", "channel"], name="send_once"),
            models.CheckConstraint(
                condition=~Q(state__in=[State.CLAIMED, State.ACCEPTED, State.UNKNOWN]) | Q(frozen_at__isnull=False), name="send_written_before_sent"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} by {self.channel}"


def only(field: str) -> Func:
    """A range of this one key: with it an exclusion constraint needs no extension."""
    return Func(F(field), F(field), RangeBoundary(inclusive_upper=True), function="int8range", output_field=BigIntegerRangeField())


class Slot(models.Model):
    """A supplier's turn for one template: within these days there is no second."""

    key = models.CharField(max_length=200, unique=True)
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="+", db_index=False)
    template = models.ForeignKey(MessageTemplate, models.CASCADE, related_name="+", db_index=False)
    during = DateTimeRangeField()
    overruled = models.BooleanField(default=False)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="slot_one_in_its_days",
                expressions=[(only("supplier"), RangeOperators.OVERLAPS), (only("template"), RangeOperators.OVERLAPS), ("during", RangeOperators.OVERLAPS)],
                condition=Q(overruled=False),
            )
        ]
        indexes = [models.Index(fields=["supplier", "template"], name="slot_by_supplier")]


@remembered("channels", "categories", "quiet_hours", "paused_until")
class Preferences(models.Model):
    """What a supplier wants to be told, how and when. What was not said is as it comes: yes, but at night."""

    supplier = models.OneToOneField("success.Supplier", models.CASCADE, primary_key=True, related_name="preferences")
    channels = models.JSONField(default=dict)
    categories = models.JSONField(default=dict)
    quiet_hours = models.JSONField(null=True)
    paused_until = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "preferences"

    def wants(self, *, channel: str, category: str) -> bool:
        """Whether she said no to neither."""
        return bool(self.channels.get(channel, True) and self.categories.get(category, True))


class Suppression(models.Model):
    """An address that refused our mail for good, by its keyed hash. Another fact than having asked for none."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    reason = models.CharField(max_length=200)
    at = models.DateTimeField()


class SendingStop(models.Model):
    """All sending was stopped. While one has not ended, nothing goes out."""

    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=200)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ended_at"], condition=Q(ended_at=None), nulls_distinct=False, name="sendingstop_one")]
