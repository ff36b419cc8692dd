"""Django settings. Everything that a person may set comes from the environment through `podlab.env`."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from podlab import env

BASE_DIR = Path(__file__).resolve().parent.parent

# The operational contract (docs/operations.md lists these for people).
PODLAB_DATA = env.folder("PODLAB_DATA", BASE_DIR / ".podlab")
PODLAB_BIND = env.text("PODLAB_BIND", "127.0.0.1")
PODLAB_PORT = env.integer("PODLAB_PORT", 8000, low=1, high=65535)
PODLAB_API_PORT = env.integer("PODLAB_API_PORT", 8443, low=1, high=65535)
PODLAB_RUNTIME = env.choice("PODLAB_RUNTIME", "auto", ("auto", "docker", "sim"))
PODLAB_NODES = env.names("PODLAB_NODES", "node-a,node-b")
PODLAB_HOSTS = env.names("PODLAB_HOSTS", "localhost,127.0.0.1,[::1]")
PODLAB_PAUSE_IMAGE = env.text("PODLAB_PAUSE_IMAGE", "")  # "" = the lab builds its own
PODLAB_ALLOW_PRIVILEGED = env.boolean("PODLAB_ALLOW_PRIVILEGED", True)
PODLAB_DOCKER_NETWORK = env.text("PODLAB_DOCKER_NETWORK", "bridge")
PODLAB_SERVICE_NETWORK = env.service_network("PODLAB_SERVICE_NETWORK", PODLAB_DATA)
PODLAB_SERVICE_RULES = env.boolean("PODLAB_SERVICE_RULES", True)  # false: the machine's rules are left alone
PODLAB_HOST_ACCESS = env.names("PODLAB_HOST_ACCESS", "")  # what pods may ask of the machine: hostPath, hostPID, hostIPC
PODLAB_EVICTION_HARD = env.thresholds("PODLAB_EVICTION_HARD", "memory.available<100Mi,nodefs.available<1%")
# Percent of the engine's disk: above HIGH the lab's own unused images go, until LOW is reached. HIGH 100 = never.
PODLAB_IMAGE_GC_HIGH = env.integer("PODLAB_IMAGE_GC_HIGH", 85, low=1, high=100)
PODLAB_IMAGE_GC_LOW = env.integer("PODLAB_IMAGE_GC_LOW", min(80, PODLAB_IMAGE_GC_HIGH - 1), low=0, high=100)
if PODLAB_IMAGE_GC_LOW >= PODLAB_IMAGE_GC_HIGH:
    raise env.BadEnvironment("PODLAB_IMAGE_GC_LOW must be less than PODLAB_IMAGE_GC_HIGH")
PODLAB_STREAM_BIND = env.text("PODLAB_STREAM_BIND", "")  # "" = a Unix socket in the data folder
PODLAB_STREAM_ADDRESS = env.text("PODLAB_STREAM_ADDRESS", "")  # what nodes publish; "" = where they listen
PODLAB_DOCKER_HOST = env.text("DOCKER_HOST", "unix:///var/run/docker.sock")


def _kept_secret(path: Path) -> str:
    """A random secret that is made once per data folder. A process that loses the race reads the winner's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="ascii") as new:
            path.chmod(0o600)
            new.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = env.text("PODLAB_SECRET_KEY", "") or _kept_secret(PODLAB_DATA / "secret-key")
DEBUG = env.boolean("PODLAB_DEBUG", False)
ALLOWED_HOSTS = ["*"] if DEBUG else [*PODLAB_HOSTS, PODLAB_BIND]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "axes",
    "podlab.storage",
    "podlab.ops",
    "podlab.web",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "podlab.urls"
ASGI_APPLICATION = "podlab.asgi.application"
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
                "podlab.web.context.lab",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """`DATABASE_URL`: "" for SQLite in the data folder, sqlite:////path, or postgres://user:password@host:port/name."""
    parts = urlparse(url)
    if not url or parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "CONN_MAX_AGE": 60,
            "NAME": unquote(parts.path) if url else str(PODLAB_DATA / "podlab.sqlite3"),
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
            },
            # A file, because threads and processes cannot share Django's test database in memory; one per test run.
            "TEST": {"NAME": str(Path(tempfile.gettempdir()) / f"podlab-test-{os.getpid()}.sqlite3")},
        }
    if parts.scheme not in {"postgres", "postgresql"}:
        raise env.BadEnvironment(f"DATABASE_URL must begin with sqlite:// or postgres://, not {parts.scheme}://")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        # As patient as SQLite's timeout: a writer that cannot get the counter gives up and may try again.
        "OPTIONS": {"options": "-c lock_timeout=20s"},
    }


DATABASES = {"default": _database(env.text("DATABASE_URL", ""))}

# The embedded Redis listens on a Unix socket; its path must stay short (about 100 bytes), so it lives in /tmp when the
# data folder is deep. `ops.embedded_redis` decides.
REDIS_URL = env.text("REDIS_URL", "")
if not REDIS_URL:
    from podlab.ops.embedded_redis import socket_path

    REDIS_URL = f"unix://{socket_path(PODLAB_DATA)}"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL]},
    },
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
# Counted by name and address together: by address alone, whoever logs in now and then with a name of his own could guess
# at all others for ever, and one forgetful student would lock out a class behind one address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True  # nobody reads or prunes it
AXES_ENABLE_ADMIN = False
AXES_LOCKOUT_TEMPLATE = "locked.html"
CSRF_FAILURE_VIEW = "podlab.web.views.problems.csrf_failure"
SESSION_COOKIE_NAME = f"podlab-{PODLAB_PORT}"  # cookies ignore the port, and labs run side by side
CSRF_COOKIE_NAME = f"podlab-csrf-{PODLAB_PORT}"
LANGUAGE_COOKIE_NAME = f"podlab-language-{PODLAB_PORT}"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        # CodeMirror and the timeline set style properties from script; style elements carry a nonce.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}
# A request body larger than this is refused: etcd's limit on a Kubernetes request is 1.5 MiB, the API server's 3 MiB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 3 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the form of a pod with many containers

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.choice("PODLAB_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING"))},
}
