"""What suppliers do: the log, its once-and-for-ever keys, the roll-ups, and what event names mean."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from success.models.history import remembered


class Meaning(models.TextChoices):
    """What an event says about a supplier. Applied when facts are derived, so that a changed meaning needs no raw rows."""

    NONE = "none", "counted under its own name"
    SIGN_IN = "sign_in", "signed in"
    SIGN_IN_REPORTED = "sign_in_reported", "last sign-in, reported as a trait"
    FEATURE = "feature", "used a feature"
    FORM_STARTED = "form_started", "a form submission was started"
    FORM_COMPLETED = "form_completed", "a form submission was completed"
    STEP_STARTED = "step_started", "a journey step was started"
    STEP_COMPLETED = "step_completed", "a journey step was completed"
    CLIENT_ACTIVE = "client_active", "a client was active"


@remembered("key", "name", "bit", ends=True)
class Feature(models.Model):
    """Something of the product that can be used. Its bit stands for it in `Facts.features`."""

    bit = models.PositiveSmallIntegerField(primary_key=True)
    key = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(bit__lte=62), name="feature_fits_a_bigint")]

    def __str__(self) -> str:
        return self.name


def kept_by_default() -> list[str]:
    return ["client_id", "count", "page"]


@remembered("meaning", "feature", "kept", "description")
class EventName(models.Model):
    """The event catalogue: each event name as sent, what it means, and which of its properties are kept."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=200, unique=True)
    meaning = models.CharField(max_length=16, choices=Meaning.choices, default=Meaning.NONE)
    feature = models.ForeignKey(Feature, models.PROTECT, null=True, blank=True, db_column="feature")
    kept = ArrayField(models.CharField(max_length=64), default=kept_by_default, blank=True, help_text="properties that are kept")
    description = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name = "event in the catalogue"
        verbose_name_plural = "event names"
        constraints = [
            models.CheckConstraint(
                condition=Q(meaning="feature", feature__isnull=False) | ~Q(meaning="feature") & Q(feature=None),
                name="eventname_feature_when_meant",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class EventTotal(models.Model):
    """How often an event came, of all suppliers together; counted every few minutes, for the catalogue's list."""

    event = models.OneToOneField(EventName, models.CASCADE, primary_key=True, related_name="total")
    ever = models.BigIntegerField()
    week = models.BigIntegerField(help_text="today and the six UTC days before")
    suppliers = models.IntegerField(help_text="who ever had it")
    last_at = models.DateTimeField(null=True)
    counted_at = models.DateTimeField()


class MessageKey(models.Model):
    """128 bits of SHA-256 over (source, NUL, message id): whether a message was ever seen."""

    digest = models.UUIDField(primary_key=True)

    class Meta:
        db_table = "success_messagekey"


class Activity(models.Model):
    """One thing a supplier did. Append-only, partitioned by month of `received_at`; the table is made in SQL."""

    message = models.UUIDField(primary_key=True)
    received_at = models.DateTimeField()
    occurred_at = models.DateTimeField()
    supplier = models.ForeignKey("success.Supplier", models.DO_NOTHING, db_constraint=False, related_name="+")
    source = models.ForeignKey("success.Source", models.DO_NOTHING, db_constraint=False, related_name="+")
    event = models.ForeignKey(EventName, models.DO_NOTHING, db_constraint=False, related_name="+")
    clamped = models.BooleanField(help_text="the sender's clock was ahead: occurred_at is ours")
    actor = models.CharField(max_length=128, null=True)
    properties = models.JSONField(null=True)

    class Meta:
        managed = False
        db_table = "success_activity"
        verbose_name_plural = "activity"


class DailyUse(models.Model):
    """How often a supplier did something on a UTC day."""

    pk = models.CompositePrimaryKey("supplier_id", "day", "event_id")
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    day = models.DateField()
    event = models.ForeignKey(EventName, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    n = models.IntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()


class EventUse(models.Model):
    """How often a supplier ever did something, when first and when last."""

    pk = models.CompositePrimaryKey("supplier_id", "event_id")
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, db_constraint=False, db_index=False, related_name="+")
    event = models.ForeignKey(EventName, models.PROTECT, db_constraint=False, db_index=False, related_name="+")
    n = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()


class DeadLetter(models.Model):
    """Activity that is kept but could not be folded. A sweep folds it again, halving until the bad row stands alone."""

    received_at = models.DateTimeField()
    messages = ArrayField(models.UUIDField())
    sqlstate = models.CharField(max_length=5)
    error = models.TextField()
    history = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["received_at"], condition=Q(resolved_at=None), name="deadletter_open")]

    def __str__(self) -> str:
        return f"{len(self.messages)} rows of {self.received_at:%Y-%m-%d %H:%M:%S}"


class TraitUse(models.Model):
    """How often a trait was sent that is not declared and so not kept. In buckets, because one row for everybody would queue all writers."""

    name = models.CharField(max_length=200)
    bucket = models.PositiveSmallIntegerField()
    n = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "bucket"], name="traituse_once")]
