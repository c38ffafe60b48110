"""NotificationService: one way to reach a supplier in the product and by mail, and our own people by mail and chat."""

from success.notifications.door import Ask, Notice, UnknownTemplate, cancel, notify, notify_all, notify_staff
from success.notifications.sending import NotificationSent

__all__ = ["Ask", "Notice", "NotificationSent", "UnknownTemplate", "cancel", "notify", "notify_all", "notify_staff"]
