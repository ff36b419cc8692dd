"""Lists: selectors, pages, revisions."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from registry_samples import config, made, refusal

from podlab.apis.status_errors import ApiError
from podlab.registry import listing
from podlab.registry.client import Client
from podlab.registry.operations import ListPage
from podlab.storage import compaction, log

pytestmark = pytest.mark.django_db(transaction=True)


def fill(client: Client, *names: str) -> None:
    for name in names:
        obj = config(name)
        obj["metadata"]["labels"] = {"odd": str(ord(name) % 2)}
        made(client, obj)


def names(page: ListPage) -> str:
    return "".join(item.key.name for item in page.items)


def test_pages_show_one_moment(client: Client) -> None:
    fill(client, *"abcde")
    first = client.list("configmaps", "default", limit=2)
    assert (names(first), first.remaining) == ("ab", 3)
    assert first.metadata()["remainingItemCount"] == 3
    client.delete("configmaps", "default", "d")
    fill(client, "f")
    second = client.list("configmaps", "default", limit=2, continue_=first.continue_)
    assert (names(second), second.remaining, second.revision) == ("cd", 1, first.revision)
    last = client.list("configmaps", "default", limit=2, continue_=second.continue_)
    assert (names(last), last.continue_, last.metadata()) == ("e", "", {"resourceVersion": str(first.revision)})


def test_a_full_page_that_is_the_last_one_has_no_more(client: Client) -> None:
    fill(client, *"ab")
    assert client.list("configmaps", "default", limit=2).continue_ == ""


def test_selectors(client: Client) -> None:
    fill(client, *"abcde")
    assert names(client.list("configmaps", "default", label_selector="odd=1")) == "ace"
    assert names(client.list("configmaps", "default", field_selector="metadata.name!=b")) == "acde"
    assert names(client.list("configmaps", None, field_selector="metadata.namespace=kube-system")) == ""


def test_pages_with_a_selector_are_full_and_do_not_count_the_rest(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_CHUNK", 2)
    fill(client, *"abcdefg")
    found, token = "", ""
    for _ in range(3):
        page = client.list("configmaps", "default", label_selector="odd=1", limit=2, continue_=token)
        assert page.remaining is None
        found, token = found + names(page), page.continue_
        if not token:
            break
    assert (found, token) == ("aceg", "")


def test_a_list_of_an_earlier_revision(client: Client) -> None:
    fill(client, *"ab")
    then = log.head()
    client.delete("configmaps", "default", "a")
    assert names(client.list("configmaps", "default", exact=then)) == "ab"
    future = refusal(client.list, "configmaps", "default", exact=then + 1000)
    assert (future.code, future.reason) == (504, "Timeout")


def test_a_token_of_an_old_list_offers_another(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(client, *"abc")
    page = client.list("configmaps", "default", limit=1)
    monkeypatch.setattr(listing, "TOKEN_HOLDS", timedelta(0))
    assert names(client.list("configmaps", "default", limit=1, continue_=page.continue_)) == "b", "nothing came since"
    fill(client, *"de")
    old = refusal(client.list, "configmaps", "default", limit=1, continue_=page.continue_)
    assert (old.code, old.reason) == (410, "Expired")
    token = old.to_status()["metadata"]["continue"]
    rest = client.list("configmaps", "default", limit=2, continue_=token)
    assert (names(rest), rest.remaining) == ("bc", 2)


def test_a_token_that_was_compacted_away_offers_another(client: Client) -> None:
    fill(client, *"abc")
    page = client.list("configmaps", "default", limit=1)
    fill(client, *"de")
    compaction.compact(keep=0)
    old = refusal(client.list, "configmaps", "default", limit=1, continue_=page.continue_)
    assert (old.code, old.reason) == (410, "Expired")
    assert old.message.startswith("The provided continue parameter is too old to display a consistent list result.")
    token = old.to_status()["metadata"]["continue"]
    assert names(client.list("configmaps", "default", continue_=token)) == "bcde"
    exact = refusal(client.list, "configmaps", "default", exact=1)
    assert (exact.code, exact.message) == (410, "The resourceVersion for the provided list is too old.")


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


V1 = "meta.k8s.io/v1"


@pytest.mark.parametrize(
    ("token", "text"),
    [
        ("x", "illegal base64 data at input byte 0"),
        ("ab=c", "illegal base64 data at input byte 2"),
        ("bm90IGpzb24", "invalid character 'o' in literal null (expecting 'u')"),
        (encoded([]), "json: cannot unmarshal array into Go value of type storage.continueToken"),
        (encoded({"v": 1}), "json: cannot unmarshal number into Go struct field continueToken.v of type string"),
        (encoded({"v": "v9"}), "server does not recognize this encoded version v9"),
        (encoded({"v": V1, "start": "a"}), f"incorrect encoded start resourceVersion (version {V1})"),
        (encoded({"v": V1, "rv": 1}), f"encoded start key empty (version {V1})"),
        (encoded({"v": V1, "rv": 1, "start": "a/../b"}), "a/../b"),
    ],
)
def test_a_token_that_is_none(token: str, text: str, client: Client) -> None:
    error = refusal(client.list, "configmaps", "default", continue_=token)
    message = f"invalid continue token: continue key is not valid: {text}"
    assert (error.code, error.message) == (400, message)


def test_a_token_is_written_as_kubernetes_writes_it(client: Client) -> None:
    for name in "ab":
        client.create("configmaps", config(name), namespace="default")
    token = client.list("configmaps", "default", limit=1).continue_
    content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert (content["v"], content["start"]) == (V1, "a\0")
    anywhere = encoded({"v": V1, "rv": -1, "start": "default/a\0"})
    rest = client.list("configmaps", None, field_selector="metadata.namespace=default", continue_=anywhere)
    assert names(rest) == "b"


def test_a_bad_selector_is_refused(client: Client) -> None:
    labels = refusal(client.list, "pods", None, label_selector="x in")
    assert (labels.code, labels.message) == (400, "unable to parse requirement: found '' expected: '('")
    fields = refusal(client.list, "pods", None, field_selector="foo=bar")
    assert (fields.code, fields.message) == (400, "field label not supported: foo")


def test_a_watch_says_what_to_follow(client: Client) -> None:
    query = client.watch("configmaps", "default", label_selector="odd=1")
    assert (query.wanted.cluster, query.wanted.resource, query.wanted.namespace) == ("main", "configmaps", "default")
    assert query.matches({"metadata": {"labels": {"odd": "1"}}})
    assert not query.matches({"metadata": {}})
    assert client.watch("nodes", None).wanted.namespace is None


def test_a_nul_finds_nothing(client: Client) -> None:
    """PostgreSQL fails at one."""
    for name, namespace in (("a\0", "default"), ("a", "default\0")):
        with pytest.raises(ApiError) as caught:
            client.get("pods", namespace, name)
        assert caught.value.code == 404
    for selector in ({"field_selector": "metadata.name=a\0"}, {"label_selector": "a=\0"}):
        with pytest.raises(ApiError) as caught:
            client.list("pods", "default", **selector)
        assert caught.value.code == 400


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=web", "web"),
        ("spec.nodeName=a,metadata.name==web", "web"),
        ("metadata.name!=web", ""),
        ("spec.nodeName=a", ""),
        ("metadata.name=a/b", ""),
        ("metadata.name=web,x", ""),
        ("", ""),
    ],
)
def test_the_one_name_that_a_list_asks_for(selector: str, name: str) -> None:
    assert listing.only_name(selector) == name
