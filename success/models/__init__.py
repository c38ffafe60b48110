from success.models.activity import Activity, DailyUse, DeadLetter, EventName, EventTotal, EventUse, Feature, MessageKey, TraitUse
from success.models.clients import Client, ClientDay
from success.models.events import Delivery, Event
from success.models.facts import Facts
from success.models.imports import Import, Upload
from success.models.jobs import JobRun
from success.models.notifications import MessageTemplate, Notification, Preferences, Send, SendingStop, Slot, Suppression
from success.models.segments import Segment
from success.models.sources import ApiKey, Source
from success.models.staff import Colleague
from success.models.stream import Push
from success.models.suppliers import Contact, CustomField, Erased, StatusChange, Supplier
from success.models.views import SavedView
from success.models.work import Note, Snooze, Task, Touchpoint

__all__ = [
    "Activity", "ApiKey", "Client", "ClientDay", "Colleague", "Contact", "CustomField", "DailyUse", "DeadLetter", "Delivery", "Erased", "Event",
    "EventName", "EventTotal", "EventUse", "Facts", "Feature", "Import", "JobRun", "MessageKey", "MessageTemplate", "Note", "Notification",
    "Preferences", "Push", "SavedView", "Segment", "Send", "SendingStop", "Slot", "Snooze", "Source", "StatusChange", "Supplier", "Suppression", "Task",
    "Touchpoint", "TraitUse", "Upload",
]  # fmt: skip
