"""Settings of the test run: the real ones, on the throw-away servers of `make test`."""

import os
from datetime import UTC, datetime, timedelta

import time_machine

os.environ.setdefault("DEBUG", "1")
os.environ.setdefault("SECRET_KEY", "a-key-for-tests-only-that-is-long-enough-to-be-taken")
os.environ.setdefault("JWT_SECRET", "a-jwt-secret-for-tests-only-that-is-long-enough")
os.environ.setdefault("JWT_AUDIENCE", "authenticated")
os.environ.setdefault("ALLOWED_HOSTS", "*")
os.environ.setdefault("NUM_PROXIES", "0")
os.environ.setdefault("SENDER_NAME", "WedSync")
os.environ.setdefault("REPLY_TO", "hello@wedsync.example")
os.environ.setdefault("POSTAL_ADDRESS", "1 Chapel Road, London")

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOG_LEVEL = "WARNING"
if days_ahead := os.environ.get("CLOCK_DAYS_AHEAD"):  # a web process of a test that looks at a later day
    time_machine.travel(datetime.now(UTC) + timedelta(days=int(days_ahead))).start()
