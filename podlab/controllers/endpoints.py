"""The Endpoints controller: keeps the Endpoints of every Service with a selector. A key is "namespace/name" of a Service.

Source: pkg/controller/endpoint/endpoints_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from podlab.apis.status_errors import ApiError
from podlab.controllers import endpoints_plan
from podlab.controllers.backends import SERVICES, Backends, TriggerTimes, selector_of
from podlab.controllers.controller import Controller
from podlab.storage.log import LogEntry

ENDPOINTS = "endpoints"
_WHY = "The pods behind the Service changed."


class Endpoints(Controller):
    name = "endpoint"
    component = "endpoint-controller"

    def load(self) -> Iterable[str]:
        self._backends, self._times = Backends(), TriggerTimes()
        return self._backends.load(self.client)

    def affected(self, entry: LogEntry) -> Iterable[str]:
        key = entry.key
        if key.resource == ENDPOINTS:
            return [f"{key.namespace}/{key.name}"] if entry.type == "DELETED" else []
        return self._backends.affected(entry)

    def sync(self, key: str) -> None:
        namespace, name = key.split("/")
        service = self.client.find(SERVICES, namespace, name)
        if service is None:
            self._times.forget(key)
            self._remove(namespace, name)
            return
        selector = selector_of(service.obj)
        if selector is None:
            return
        members = self._backends.selected(namespace, selector)
        found = self.client.find(ENDPOINTS, namespace, name)
        trigger = self._times.stamp(key, service.obj, members)
        wanted = endpoints_plan.endpoints(service.obj, members, found.obj if found else None, trigger)
        if wanted is None:
            return
        verb = "create" if found is None else "update"
        try:
            if found is None:
                self.client.create(ENDPOINTS, wanted, namespace=namespace, why=_WHY)
            else:
                self.client.update(ENDPOINTS, namespace, name, wanted, why=_WHY)
        except ApiError as error:
            if found is None and error.code in (403, 404):  # a namespace that ends takes nothing new
                return
            if error.code != 409:
                text = f"Failed to {verb} endpoint for service {key}: {error.message}"
                self.kit.recorder.event(service.obj, "Warning", f"FailedTo{verb.title()}Endpoint", text)
            raise

    def _remove(self, namespace: str, name: str) -> None:
        """A Service that is gone takes its Endpoints along, whoever made them."""
        if self.client.find(ENDPOINTS, namespace, name) is None:
            return
        try:
            self.client.delete(ENDPOINTS, namespace, name, why="The Service is gone.")
        except ApiError as error:
            if error.code != 404:
                raise
