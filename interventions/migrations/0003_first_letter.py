"""The words of the first letter."""

from django.db import migrations

from success.notifications.defaults import Template, default

TEXT = """Hi {{ first_name }},

{% if clients == 0 %}{{ days_known }} days in, and your client list is still empty.{% else %}{{ clients }} {% if clients == 1 %}client is{% else %}clients are{% endif %} in your account, and {% if forms == 0 %}no form is made yet{% elsif forms == 1 %}1 form is ready for them{% else %}{{ forms }} forms are ready for them{% endif %}.{% endif %}

One thing helps most now: bring in {% if clients > 0 %}the rest of {% endif %}your clients. A list from a spreadsheet or your address book is enough{% if forms == 1 %}, and each of them can have your form{% elsif forms > 1 %}, and each of them can have one of your forms{% endif %}.

{% if booking_url %}If you would rather do it together, choose 15 minutes with me: {{ booking_url }}

{% endif %}{{ owner_name }}"""
LETTER = Template(
    key="first_weeks_quiet",
    category="tips",
    subject="{% if clients == 0 %}Your client list{% elsif clients == 1 %}Your first client is in{% else %}Your {{ clients }} clients are in{% endif %}",
    text=TEXT,
    button="Bring in my clients",
    link="{{ product_url }}",
    example={
        "first_name": "Sarah", "clients": 5, "forms": 1, "days_known": 14, "owner_name": "Maya", "booking_url": "https://cal.example.com/maya",
        "product_url": "https://app.example.com",
    },
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("interventions", "0002_first_weeks_quiet"), ("success", "0020_sending")]
    operations = [default([LETTER])]
