from success.models.activity import Activity, DailyUse, DeadLetter, EventName, EventUse, Feature, MessageKey, TraitUse
from success.models.clients import Client, ClientDay
from success.models.events import Event
from success.models.facts import Facts
from success.models.imports import Import
from success.models.jobs import JobRun
from success.models.sources import ApiKey, Source
from success.models.suppliers import Contact, CustomField, Erased, StatusChange, Supplier

__all__ = [
    "Activity", "ApiKey", "Client", "ClientDay", "Contact", "CustomField", "DailyUse", "DeadLetter", "Erased", "Event", "EventName",
    "EventUse", "Facts", "Feature", "Import", "JobRun", "MessageKey", "Source", "StatusChange", "Supplier", "TraitUse",
]  # fmt: skip
