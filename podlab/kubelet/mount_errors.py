"""Why volumes of a pod cannot be set up, in the words of the FailedMount event (volume/util/operationexecutor)."""

from __future__ import annotations


class MountError(Exception):
    """One volume. `volume` is its name, of one behind a claim that of the PersistentVolume."""

    def __init__(self, volume: str, detail: str, *, step: str = "SetUp") -> None:
        super().__init__(f'MountVolume.{step} failed for volume "{volume}" : {detail}')


class NotProcessed(MountError):
    """A claim that cannot be used yet (volume_manager.go WaitForAttachAndMount)."""

    def __init__(self, volume: str, namespace: str, claim: str, detail: str) -> None:
        Exception.__init__(
            self,
            f"Unable to attach or mount volumes: unmounted volumes=[{volume}], unattached volumes=[], failed to process "
            f"volumes=[{volume}]: error processing PVC {namespace}/{claim}: {detail}",
        )
