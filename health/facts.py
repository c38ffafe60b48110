"""What health knows of a supplier, for conditions."""

from health.effective import LEVEL, OVERRIDDEN
from success import facts
from success.conditions import Fact

LEVELS = ("critical", "at_risk", "healthy")
ASSESSED = "left join health_assessment a on a.supplier_id = s.id"
# Of a level that a person set, since they did, unless it is the computed one.
SINCE = "case when a.level is not null then case when v.level <> a.level then v.at else a.level_since end end"
HEALTH = "Health"

facts.register(
    Fact(key="score", group=HEALTH, type="number", words="score", sql="a.score", joins=(ASSESSED,)),
    Fact(key="level", group=HEALTH, type="choice", words="level", sql=LEVEL, joins=(ASSESSED, OVERRIDDEN), choices=facts.choices(LEVELS)),
    Fact(key="level_since", group=HEALTH, type="moment", words="change of level", phrase="came to her level {}", sql=SINCE, joins=(ASSESSED, OVERRIDDEN)),
    Fact(
        key="days_at_level",
        group=HEALTH,
        type="number",
        words="days at her level",
        phrase="at her level for {} day{s}",
        sql=facts.days_since(f"({SINCE})"),
        joins=(ASSESSED, OVERRIDDEN),
    ),
    Fact(key="declining", group=HEALTH, type="boolean", words="declining", sql="a.declining", joins=(ASSESSED,)),
)  # fmt: skip
