"""What rows were before they were changed. A trigger keeps it, whoever changes them: a page, the API, an import, or SQL by hand."""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

import pghistory
import pgtrigger
from django.contrib.auth.models import User
from django.db import models
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

Model = TypeVar("Model", bound=type[models.Model])


CONTEXT = "nullif(current_setting('pghistory.context_metadata', true), '')::jsonb"


class WorthKeeping(pgtrigger.AnyChange):
    """What one of us changes, always. Of what the product says neither the first time, which changes nothing anybody knew, nor custom fields: some move daily."""

    def resolve(self, model: type[models.Model]) -> str:
        fields = sorted(set(self.fields or ()) - {"custom"})
        ours = f"coalesce({CONTEXT} ? 'user', false)"
        theirs = f"OLD.said_at <> '{{}}' AND (coalesce({CONTEXT} ? 'through', false) OR {pgtrigger.AnyChange(*fields).resolve(model)})"
        return f"({super().resolve(model)} AND ({ours} OR {theirs}))"


def remembered(*fields: str, ends: bool = False, when: pgtrigger.Condition | None = None, app_label: str | None = None) -> Callable[[Model], Model]:
    """Of these fields the values before each change are kept, in a table `..Past`; where people make and delete rows (`ends`), also that they did."""
    changed = pghistory.UpdateEvent(row=pghistory.Old, condition=when or pgtrigger.AnyChange())
    trackers = [changed, *([pghistory.InsertEvent(), pghistory.DeleteEvent()] if ends else [])]
    return kept_beside(trackers, fields, app_label=app_label, outlives=ends)


def noticed(*fields: str) -> Callable[[Model], Model]:
    """That each of these fields changed is kept, under the field's name, and never a value: for personal data, which is in one place."""
    return kept_beside([pghistory.UpdateEvent(field, row=pghistory.Old, condition=pgtrigger.AnyChange(field)) for field in fields], ())


def kept_beside(trackers: list[Any], fields: Collection[str], *, app_label: str | None = None, outlives: bool = False) -> Callable[[Model], Model]:
    """A table beside the model's, whose rows say themselves who made the change; they go with the row they are about, or outlive it."""

    def decorate(model: Model) -> Model:
        pghistory.track(
            *trackers,
            fields=list(fields),
            model_name=f"{model.__name__}Past",
            app_label=app_label,
            attrs={"pgh_id": models.BigAutoField(primary_key=True)},
            obj_field=pghistory.ObjForeignKey(related_name="+", on_delete=models.DO_NOTHING if outlives else models.CASCADE),
            context_field=pghistory.ContextJSONField(),
            context_id_field=None,  # type: ignore[arg-type]  # as its documentation has it
        )(model)
        return model

    return decorate


# ---------------------------------------------------------------- tables of others


@remembered("username", "first_name", "last_name", "email", "is_active", "is_superuser", app_label="success")
class Account(User):
    """A colleague's sign-in."""

    class Meta:
        proxy = True


@remembered("enabled", "interval", "crontab", "queue", "expire_seconds", "start_time", "expires", "one_off", "description", ends=True, app_label="success")
class ScheduledJob(PeriodicTask):
    """A row of the schedule."""

    class Meta:
        proxy = True


@remembered("every", "period", ends=True, app_label="success")
class Rhythm(IntervalSchedule):
    """Every so often."""

    class Meta:
        proxy = True


@remembered("minute", "hour", "day_of_week", "day_of_month", "month_of_year", "timezone", ends=True, app_label="success")
class Timetable(CrontabSchedule):
    """At these times."""

    class Meta:
        proxy = True
