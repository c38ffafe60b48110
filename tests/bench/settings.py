"""Settings of the measurements: production's, but for HTTPS, limits nobody reaches, and the views we are compared with."""

import os

os.environ["DEBUG"] = "0"  # with it Django remembers every query
os.environ["DB_STATEMENT_TIMEOUT"] = "0"
os.environ["RATE_LIMIT_KEY"] = "1000000,1000000"  # counted all the same
os.environ.setdefault("SECRET_KEY", "a-key-for-measurements-only-that-is-long-enough")
os.environ.setdefault("SENSITIVE_KEY", "another-key-for-measurements-only-that-is-long-enough")
os.environ.setdefault("JWT_SECRET", "a-jwt-secret-for-measurements-only-that-is-long-enough")
os.environ.setdefault("JWT_AUDIENCE", "authenticated")
os.environ.setdefault("NUM_PROXIES", "0")
os.environ["REQUIRE_SECOND_FACTOR"] = ""  # who measures signs in by password
os.environ["LOG_LEVEL"] = "WARNING"

from config.settings import *  # noqa: F403

ALLOWED_HOSTS = ["127.0.0.1"]
SECURE_SSL_REDIRECT = False
ROOT_URLCONF = "tests.bench.comparison"
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405 - nothing is collected here
