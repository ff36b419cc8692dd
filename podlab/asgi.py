"""The ASGI application: Kubernetes API, pages and websockets, the same on both ports."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "podlab.settings")

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402

http = get_asgi_application()

from podlab.routing import websocket_application  # noqa: E402  (needs the apps that the line above loads)

application = ProtocolTypeRouter({"http": http, "websocket": websocket_application})
