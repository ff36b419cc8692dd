"""What a runtime operation may raise. Messages are shown to people as they are."""

from __future__ import annotations


class RuntimeFailure(Exception):
    """An operation failed; trying again later may help."""


class Unavailable(RuntimeFailure):
    """The engine does not answer."""


class NotFound(RuntimeFailure):
    """No such sandbox, container or image."""


class CreateFailed(RuntimeFailure):
    """The container could not be created (waiting reason CreateContainerError)."""


class StartFailed(RuntimeFailure):
    """The container was created but its process could not start (waiting reason RunContainerError); such a container
    is listed as exited with reason ContainerCannotRun or StartError."""


def no_handler(name: str) -> CreateFailed:
    """What containerd answers when a RuntimeClass names a handler that it is not configured for."""
    return CreateFailed(
        f'rpc error: code = Unknown desc = failed to get sandbox runtime: no runtime for "{name}" is configured'
    )
