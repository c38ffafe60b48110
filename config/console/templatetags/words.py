"""Keys as words."""

from django import template

register = template.Library()
WORDS = {"at_end": "ends soon", "active": "established", "login_recency": "sign-in", "client_activity": "clients active", "form_completion": "forms completed",
         "journey_performance": "journey steps completed", "feature_adoption": "features used"}  # fmt: skip


@register.filter
def words(key: str | None) -> str:
    """`at_risk` -> at risk."""
    return WORDS.get(key or "", (key or "").replace("_", " "))
