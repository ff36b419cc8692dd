"""Pulling without a registry: how long it takes, what is missing, and in which words. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from podlab.runtime.images import ImageInfo
from podlab.runtime.sim import chance, servers
from podlab.runtime.sim.behaviour import parse_pull

# Names that cannot exist: RFC 2606's top-level domain, and what lessons call an image that is not there.
MISSING_WORDS = ("missing", "does-not-exist", "doesnotexist", "no-such-image", "nosuchimage", "not-found")
DNS = "10.96.0.10:53"


def split(ref: str) -> tuple[str, str, str]:
    """(registry, repository, tag or digest), with Docker Hub's defaults."""
    name, at, digest = ref.partition("@")
    head, slash, rest = name.partition("/")
    registry, repository = (head, rest) if slash and ("." in head or ":" in head or head == "localhost") else ("", name)
    repository, _, tag = repository.partition(":")
    if not registry:
        registry = "docker.io"
        repository = repository if "/" in repository else f"library/{repository}"
    return registry, repository, digest if at else tag or "latest"


def full_name(ref: str) -> str:
    registry, repository, tag = split(ref)
    return f"{registry}/{repository}{'@' if ':' in tag else ':'}{tag}"


def failure(ref: str, annotations: Mapping[str, str]) -> str:
    """Why this image cannot be pulled, as containerd says it; "" if it can."""
    told = parse_pull(annotations).error
    if told:
        return told
    registry, repository, tag = split(ref)
    full = full_name(ref)
    resolve = f'failed to pull and unpack image "{full}": failed to resolve reference "{full}": '
    host = registry.partition(":")[0]
    if host.endswith(".invalid"):
        url = f"https://{registry}/v2/{repository}/manifests/{tag}"
        return f'{resolve}failed to do request: Head "{url}": dial tcp: lookup {host} on {DNS}: no such host'
    if any(word in f"{repository}:{tag}".lower() for word in MISSING_WORDS):
        if registry == "docker.io":
            return (
                f"{resolve}pull access denied, repository does not exist or may require authorization: "
                "server message: insufficient_scope: authorization failed"
            )
        return f"{resolve}{full}: not found"
    return ""


def pull_seconds(ref: str, annotations: Mapping[str, str], *, seed: int, node: str) -> float:
    """0.5 to 3 s, the same for this image on this node in every run."""
    told = parse_pull(annotations).seconds
    return round(chance.between(0.5, 3.0, seed, node, "pull", ref), 3) if told is None else told


def failure_seconds(ref: str, annotations: Mapping[str, str], *, seed: int, node: str) -> float:
    told = parse_pull(annotations).seconds
    return round(chance.between(0.05, 0.6, seed, node, "refusal", ref), 3) if told is None else told


def info(ref: str) -> ImageInfo:
    """The image as it would be listed: id and size follow from the name alone."""
    full = full_name(ref)
    small = servers.image_name(ref) in servers.SMALL_IMAGES
    size = chance.between(2e6, 5e6, full) if small else chance.between(2e7, 1.2e8, full)
    registry, repository, tag = split(ref)
    manifest = tag if ":" in tag else f"sha256:{chance.hex_id('manifest', full)}"
    digest = f"{registry}/{repository}@{manifest}"
    return ImageInfo(id=f"sha256:{chance.hex_id('image', full)}", ref=ref, size=round(size), digests=(digest,))
