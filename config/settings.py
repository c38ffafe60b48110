"""Settings of the customer success system. Every value comes from the environment; `.env.example` lists them all.

A secret may also be given as a file: `SECRET_KEY_FILE=/run/secrets/key` stands for `SECRET_KEY`.
"""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
import structlog
from django.templatetags.static import static
from django.urls import reverse_lazy
from kombu import Exchange, Queue

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()

# ---------------------------------------------------------------- where it runs
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
SENSITIVE_KEY = env.str("SENSITIVE_KEY", default="") or SECRET_KEY  # keyed hashes of the erased: never changed
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
BASE_URL = env.str("BASE_URL", default="http://127.0.0.1:8000")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# How many proxies of our own stand before the web process; the client's address is taken that far from the right of X-Forwarded-For.
NUM_PROXIES = env.int("NUM_PROXIES", default=-1)
DEMO = env.bool("DEMO", default=False)

# ---------------------------------------------------------------- applications
INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "django_celery_beat",
    "django_prometheus",
    "csp",
    "corsheaders",
    "axes",
    "pgtrigger",
    "pghistory",
    "anymail",
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "success",
    "health",
    "milestones",
    "interventions",
    "config.console",
    *(["config.local"] if DEBUG else []),
]
MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "success.logs.bind_request",
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.policy.console_policy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.console.readable.without_nul",
    "config.console.signing_in.second_factor_first",
    "config.console.zone.own_zone_and_language",
    "config.console.authorship.signed",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# ---------------------------------------------------------------- PostgreSQL
DATABASES: dict[str, dict[str, Any]] = {"default": env.db("DATABASE_URL", default="postgresql://localhost/customer_success")}
DB_POOL_SIZE = env.int("DB_POOL_SIZE", default=0)  # the web process sets it; workers keep no connection
# Ingest waits for its commit: no statement timeout there. Others set their own (success.db.timeout).
DB_STATEMENT_TIMEOUT = env.str("DB_STATEMENT_TIMEOUT", default="5s")
DATABASES["default"].update(
    CONN_MAX_AGE=0,
    DISABLE_SERVER_SIDE_CURSORS=False,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),  # such as sslmode, from the address
        "options": "-c work_mem=16MB -c jit=off -c timezone=UTC "  # passes over everybody stay in memory
        f"-c lock_timeout=3s -c idle_in_transaction_session_timeout=30s -c statement_timeout={DB_STATEMENT_TIMEOUT}",
        **({"pool": {"min_size": 1, "max_size": DB_POOL_SIZE, "timeout": 3, "reconnect_timeout": 10}} if DB_POOL_SIZE else {}),
    },
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# ---------------------------------------------------------------- Redis: 0 the broker, 1 limits and other things that may be lost
REDIS_URL = re.sub(r"(?<=[^/])/\d*$", "", env.str("REDIS_URL", default="redis://localhost:6379"))  # with or without a number at its end
LIMITS_REDIS_URL = f"{REDIS_URL}/1"

# ---------------------------------------------------------------- Celery
CELERY_BROKER_URL = f"{REDIS_URL}/0"
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 60
CELERY_TASK_TIME_LIMIT = 90
# The web process sets half a second: a page does not wait for a broker that is away. A worker's longer patience outlasts the broker's slow moments.
BROKER_TIMEOUT = env.float("BROKER_TIMEOUT", default=5)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "socket_timeout": BROKER_TIMEOUT,
    "socket_connect_timeout": BROKER_TIMEOUT,
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_TIMEOUT = BROKER_TIMEOUT
CELERY_TASK_PUBLISH_RETRY = False
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": 600}
CELERY_VISIBILITY_TIMEOUT = 600
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("ingest", "score", "send", "sync")]
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TIMEZONE = "UTC"
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
DJANGO_CELERY_BEAT_TZ_AWARE = True

# ---------------------------------------------------------------- product users' tokens
JWT_SECRET = env.str("JWT_SECRET", default="")  # HS256, or
JWT_JWKS_URL = env.str("JWT_JWKS_URL", default="")  # the issuer's key set
JWT_ALGORITHM = env.str("JWT_ALGORITHM", default="HS256")  # one per issuer, allow-listed: HS256, RS256, ES256
JWT_AUDIENCE = env.str("JWT_AUDIENCE", default="authenticated")
JWT_ISSUER = env.str("JWT_ISSUER", default="") or None

# ---------------------------------------------------------------- REST API
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["success.api.authentication.CallerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["success.api.permissions.HasAccess"],
    "DEFAULT_THROTTLE_CLASSES": ["success.api.throttling.CallerThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["success.api.renderers.FastJSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["success.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "success.api.schema.Schema",
    "EXCEPTION_HANDLER": "success.api.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_METADATA_CLASS": None,
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_FORMATTER_CLASS": "success.api.problems.ProblemFormatter",
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
    "NESTED_FIELD_SEPARATOR": "/",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Customer success",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/(api/)?v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "LevelEnum": ["critical", "at_risk", "healthy"],
        "SupplierStatusEnum": "success.models.suppliers.Status",
        "RungStateEnum": "milestones.progress.STATES",
        "GrantStateEnum": "milestones.models.GrantState",
        "RewardKindEnum": "milestones.models.RewardKind",
        "HealthStatusEnum": ["ok", "insufficient_data", "ended"],
        "ComponentEnum": ["login_recency", "feature_adoption", "client_activity", "form_completion", "journey_performance"],
    },
}
# requests a second, and how many at once
RATE_LIMIT_KEY = env.list("RATE_LIMIT_KEY", cast=float, default=[200, 1000])
RATE_LIMIT_USER = env.list("RATE_LIMIT_USER", cast=float, default=[20, 100])
RATE_LIMIT_ANONYMOUS = env.list("RATE_LIMIT_ANONYMOUS", cast=float, default=[5, 20])
RATE_LIMIT_FAILED_CREDENTIALS = env.list("RATE_LIMIT_FAILED_CREDENTIALS", cast=float, default=[1, 60])
INGEST_BODY_LIMIT = 512 * 1024
INGEST_BATCH_LIMIT = 1000
JSON_DEPTH_LIMIT = 32
DATA_UPLOAD_MAX_MEMORY_SIZE = INGEST_BODY_LIMIT

# ---------------------------------------------------------------- people of our own
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
PASSWORD_RESET_TIMEOUT = 7 * 24 * 3600  # seconds for which the link of an invitation is good
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# The roles whose people do nothing in the console before they have a second factor.
REQUIRE_SECOND_FACTOR = env.list("REQUIRE_SECOND_FACTOR", default=[] if DEBUG else ["administrator"])
OTP_TOTP_ISSUER = "Customer success"
# Wrong passwords for one name from one address: after five, a pause of a quarter of an hour. Rows hold no password, log lines no name.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_CLIENT_IP_CALLABLE = "config.console.password.client_address"
AXES_USERNAME_CALLABLE = "config.console.password.known_name"
AXES_LOCKOUT_CALLABLE = "config.console.password.locked_out"
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

# ---------------------------------------------------------------- mail
globals().update(env.email_url("EMAIL_URL", default="smtp://localhost:25"))
EMAIL_TIMEOUT = 5  # seconds a page waits for the mail server
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Customer success <success@localhost>")
# A provider of Anymail's in the place of the mail server, by the name of its module: postmark, mailgun, brevo, ..
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="")
EMAIL_PROVIDER_KEY = env.str("EMAIL_PROVIDER_KEY", default="")
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")  # user:password; by it we know that the provider is the one who tells us
if EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
ANYMAIL = {
    **{f"{EMAIL_PROVIDER.upper()}_{name}": EMAIL_PROVIDER_KEY for name in ("API_KEY", "SERVER_TOKEN", "API_TOKEN") if EMAIL_PROVIDER},
    "WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET or None,
    "REQUESTS_TIMEOUT": (5, 15),
}

# ---------------------------------------------------------------- letters to suppliers: without the first three none is sent
SENDER_NAME = env.str("SENDER_NAME", default="")
REPLY_TO = env.str("REPLY_TO", default="")
POSTAL_ADDRESS = env.str("POSTAL_ADDRESS", default="")
QUIET_HOURS = env.str("QUIET_HOURS", default="21:00-08:00")  # in the supplier's time zone, or in this one where hers is not known
SUPPLIER_TIME_ZONE = env.str("SUPPLIER_TIME_ZONE", default="UTC")
CHAT_WEBHOOK_URL = env.str("CHAT_WEBHOOK_URL", default="")  # of a room of our own people: Slack, Mattermost and others
OUTGOING_INSIDE = env.bool("OUTGOING_INSIDE", default=False)  # whether calls may go to addresses inside, and without TLS

# ---------------------------------------------------------------- playbooks
PLAYBOOK_FIRST_DAY = env.int("PLAYBOOK_FIRST_DAY", default=20)  # suppliers a playbook reaches on the day it is switched on, unless it says otherwise
PRODUCT_URL = env.str("PRODUCT_URL", default="")  # where letters lead suppliers to: your product

# ---------------------------------------------------------------- celebrations
DIGEST_AFTER_HOURS = env.float("DIGEST_AFTER_HOURS", default=2)  # what a supplier reached and has not seen by then is told by mail, at most once a day

# ---------------------------------------------------------------- open pages of the product
# Where the product's own pages are served from (scheme://host): they may read the API and the stream.
PRODUCT_ORIGINS = env.list("PRODUCT_ORIGINS", default=[])
CORS_ALLOWED_ORIGINS = PRODUCT_ORIGINS
CORS_URLS_REGEX = r"^/(api|v1|static)/"
CORS_ALLOW_HEADERS = ["authorization", "content-type", "idempotency-key", "if-none-match"]
CORS_EXPOSE_HEADERS = ["ETag", "Retry-After"]
STREAM_URL = env.str("STREAM_URL", default="http://127.0.0.1:8001/stream/")  # as pages reach it; the playground is told so
STREAM_MOST = env.int("STREAM_MOST", default=10_000)  # streams that one process holds open
STREAM_REVIEW_EVERY = env.float("STREAM_REVIEW_EVERY", default=25)  # seconds between looks at who may stay

# ---------------------------------------------------------------- security
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not DEBUG
SESSION_COOKIE_NAME = "sessionid" if DEBUG else "__Host-sessionid"
CSRF_COOKIE_NAME = "csrftoken" if DEBUG else "__Host-csrftoken"
SESSION_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 0 if DEBUG else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if NUM_PROXIES > 0 else None
SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$", r"^metrics$"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
    }
}
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # bearer token of the scraper; without it /metrics answers loopback only

# ---------------------------------------------------------------- language, time, static files
FORMAT_MODULE_PATH = ["config.formats"]
LANGUAGE_CODE = "en-gb"
# What a colleague may choose: dates, numbers and the words of the forms follow it. The console's own words are English so far.
LANGUAGES = [
    ("en-gb", "English (UK)"),
    ("en-us", "English (US)"),
    ("nl", "Nederlands"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("pt", "Português"),
]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"  # in development found where they are
WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if DEBUG else "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
UNFOLD = {
    "SITE_TITLE": "Customer success",
    "SITE_HEADER": "Customer success",
    "SITE_SYMBOL": "favorite",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/icon.svg")}],
    "SITE_URL": None,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [lambda request: static("console/console.js")],
    "COMMAND": {"search_callback": "config.console.search.found"},
    "LOGIN": {"form": "config.console.password.SignInForm"},
    "ACCOUNT": {
        "navigation": [
            {"title": "My settings", "link": reverse_lazy("console:me")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.console.navigation.navigation"},
}

# ---------------------------------------------------------------- logs: one line of JSON each, personal data taken out
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "success.logs.formatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},
        "django.server": {"level": "ERROR"},
        "axes": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django_celery_beat": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
