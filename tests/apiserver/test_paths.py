"""Which place a path names, and what is refused."""

from __future__ import annotations

import pytest

from podlab.apiserver import paths

GOOD = {
    "the pods of a namespace": ("/api/v1/namespaces/n/pods", "pods", "n", "", ""),
    "one pod": ("/api/v1/namespaces/n/pods/p", "pods", "n", "p", ""),
    "the status of a pod": ("/api/v1/namespaces/n/pods/p/status", "pods", "n", "p", "status"),
    "the pods of all namespaces": ("/api/v1/pods", "pods", "", "", ""),
    "all namespaces": ("/api/v1/namespaces", "namespaces", "", "", ""),
    "one namespace": ("/api/v1/namespaces/n", "namespaces", "", "n", ""),
    "a namespace's status is a part of it": ("/api/v1/namespaces/n/status", "namespaces", "", "n", "status"),
    "a namespace's finalizers too": ("/api/v1/namespaces/n/finalize", "namespaces", "", "n", "finalize"),
    "a pod called status": ("/api/v1/namespaces/n/pods/status", "pods", "n", "status", ""),
    "one node": ("/api/v1/nodes/a", "nodes", "", "a", ""),
}


@pytest.mark.parametrize("sentence", GOOD)
def test_a_path_names(sentence: str) -> None:
    path, key, namespace, name, subresource = GOOD[sentence]
    place = paths.parse(path)
    assert (place.resource.key, place.namespace, place.name, place.subresource) == (key, namespace, name, subresource)
    assert not place.watch


def test_the_old_watch_prefix_is_understood() -> None:
    place = paths.parse("/api/v1/watch/namespaces/n/pods")
    assert place.watch
    assert (place.resource.key, place.namespace) == ("pods", "n")


BAD = {
    "an unknown resource": "/api/v1/namespaces/n/foos",
    "an unknown version": "/api/v7/pods",
    "a named pod without a namespace": "/api/v1/pods/p",
    "a node inside a namespace": "/api/v1/namespaces/n/nodes",
    "an unknown subresource": "/api/v1/namespaces/n/pods/p/foo",
    "too many parts": "/api/v1/namespaces/n/pods/p/log/x",
    "an empty part": "/api/v1/namespaces//pods",
    "an empty name": "/api/v1/namespaces/n/pods/",
}


@pytest.mark.parametrize("sentence", BAD)
def test_nothing_answers_at(sentence: str) -> None:
    with pytest.raises(paths.NoSuchPath):
        paths.parse(BAD[sentence])


def test_an_unknown_group_is_another_refusal() -> None:
    with pytest.raises(paths.NoSuchGroup):
        paths.parse("/apis/foo.example.com/v1/namespaces/n/foos")
