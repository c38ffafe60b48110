"""Due rows: work that is to be done at an instant, by whoever comes by."""

from django.conf import settings
from django.db import models
from django.db.models import Q


class State(models.TextChoices):
    """How a due row stands. Those refused or unknown need a person."""

    QUEUED = "queued", "queued"
    CLAIMED = "claimed", "being done"
    ACCEPTED = "accepted", "done"
    REFUSED = "refused", "refused"
    UNKNOWN = "unknown", "not known whether done"
    DROPPED = "dropped", "dropped"


NEED_A_PERSON = (State.REFUSED, State.UNKNOWN)


class DueRow(models.Model):
    """One piece of work: due at an instant, tried until it is accepted, or until a person has to look at it."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, null=True, related_name="+", editable=False)
    due_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED, db_default=State.QUEUED.value)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    leased_until = models.DateTimeField(null=True, blank=True, help_text="until then a worker has it")
    error = models.TextField(blank=True, default="", db_default="", help_text="why it is not done, or was dropped")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", help_text="who dropped it, if a person did"
    )

    class Meta:
        abstract = True
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state=State.QUEUED), name="%(class)s_due"),
            models.Index(fields=["leased_until"], condition=Q(state=State.CLAIMED), name="%(class)s_leased"),
            models.Index(fields=["due_at"], condition=Q(state__in=NEED_A_PERSON), name="%(class)s_person"),
        ]
        constraints = [models.CheckConstraint(condition=Q(state__in=State.values), name="%(class)s_state_is_known")]

    @property
    def needs_a_person(self) -> bool:
        return self.state in NEED_A_PERSON

    @property
    def waits(self) -> bool:
        """Whether a person may have it tried at once, or dropped."""
        return self.state in (State.QUEUED, *NEED_A_PERSON)
