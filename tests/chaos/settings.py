"""Settings of the chaos: production's, but for HTTPS, with the app that is disturbed. Leases are short where a run is."""

import os

os.environ["DEBUG"] = "0"
os.environ.setdefault("SECRET_KEY", "a-key-for-chaos-only-that-is-long-enough-to-be-taken")
os.environ.setdefault("SENSITIVE_KEY", "another-key-for-chaos-only-that-is-long-enough")
os.environ.setdefault("JWT_SECRET", "a-jwt-secret-for-chaos-only-that-is-long-enough")
os.environ.setdefault("NUM_PROXIES", "0")
os.environ["LOG_LEVEL"] = "CRITICAL"  # a subscriber fails here without end

from config.settings import *  # noqa: F403

INSTALLED_APPS = [*INSTALLED_APPS, "tests.chaos"]  # noqa: F405
LOGGING = {**LOGGING, "loggers": {**LOGGING["loggers"], "celery": {"level": "CRITICAL"}}}  # noqa: F405
CHAOS_SINK = os.environ.get("CHAOS_SINK", "")
CHAOS_BREAK = os.environ.get("CHAOS_BREAK", "")
CHAOS_HOLD = float(os.environ.get("CHAOS_HOLD", "30"))  # seconds
