"""The Celery application. Messages are hints: rows in PostgreSQL are the truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
app = Celery("customer_success")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
