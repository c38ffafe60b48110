"""Sarah, the photographer of the brief: two weeks in, 5 clients, 1 form, and quiet since. Pure."""

from datetime import datetime, timedelta
from typing import Any

from config.local.demo.days import Message

ID = "sarah"
SIGNED_UP = timedelta(days=14, minutes=20)  # ago
TRIAL = timedelta(days=30)
CLIENTS = 5
LAST_SEEN = timedelta(days=4, hours=10)  # after she signed up
ABOUT = {
    "name": "Sarah Whitmore", "email": "sarah.whitmore@example.com", "phone": "+44 20 7946 0142", "locale": "en-GB", "timezone": "Europe/London",
    "company": "Whitmore Photography", "vertical": "photographer", "plan": "pro", "currency": "GBP", "owner": "maya.lindqvist", "status": "trial", "mrr": 0,
}  # fmt: skip
FIRST_STEPS: tuple[tuple[timedelta, str, dict[str, Any]], ...] = (
    (timedelta(minutes=1), "Signed In", {}),
    (timedelta(minutes=2), "Page Viewed", {"page": "Dashboard"}),
    (timedelta(minutes=9), "Page Viewed", {"page": "Clients"}),
    (timedelta(minutes=24), "Clients Imported", {"count": CLIENTS}),
    *((timedelta(minutes=25, seconds=n), "Client Active", {"client_id": f"sarah-couple-{n}"}) for n in range(1, CLIENTS + 1)),
    (timedelta(days=1, hours=2), "Signed In", {}),
    (timedelta(days=1, hours=2, minutes=6), "Page Viewed", {"page": "Forms"}),
    (timedelta(days=1, hours=2, minutes=31), "Form Created", {}),
    (timedelta(days=2, hours=5), "Signed In", {}),
    (timedelta(days=2, hours=5, minutes=3), "Page Viewed", {"page": "Journeys"}),
    (LAST_SEEN, "Signed In", {}),
    (LAST_SEEN + timedelta(minutes=2), "Page Viewed", {"page": "Dashboard"}),
)


def messages(*, at: datetime) -> list[Message]:
    """Her two weeks as seen from an instant; each placing has message ids of its own."""
    began = at - SIGNED_UP
    # With her last sign-in, as products send it: so this message, too, is a row of the log, and its key is found again.
    traits = {**ABOUT, "created_at": began.isoformat(), "trial_ends_at": (began + TRIAL).isoformat(), "last_sign_in_at": (began + LAST_SEEN).isoformat()}
    steps = [Message(f"{ID}/{at.isoformat()}/{n}", began + after, ID, event, properties) for n, (after, event, properties) in enumerate(FIRST_STEPS)]
    return [Message(f"{ID}/{at.isoformat()}/traits", began, ID, traits=traits), *steps]
