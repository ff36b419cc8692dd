"""Both languages say everything: no text of a page, sentence or script lacks its translation, and the switch is kept."""

from __future__ import annotations

import gettext as gnu
import io
import re
import string
from pathlib import Path

import pytest
import said
from django.conf import settings
from django.test import Client
from django.utils import translation
from pod_story import UID, Log, at, pod

from podlab.apis.types import Key
from podlab.storage import store
from podlab.timeline.story import Story
from podlab.web import catalogue, words

CHINESE = Path(__file__).parents[2] / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    if catalogue.compile_all():
        from django.utils.translation import trans_real

        trans_real._translations = {}  # what an earlier test has read is old now


def known() -> dict[str, str]:
    return dict(catalogue.entries(CHINESE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("source", [said.in_templates, said.in_python, said.in_scripts], ids=lambda one: one.__name__)
def test_every_text_has_a_chinese_translation(source: object) -> None:
    texts = set(source())  # type: ignore[operator]
    assert len(texts) > 20
    catalogue = known()
    assert sorted(text for text in texts if not catalogue.get(text)) == []


def test_nothing_is_translated_that_nobody_says() -> None:
    texts = {"", *said.in_templates(), *said.in_python(), *said.in_scripts()}
    assert sorted(set(known()) - texts) == []


def test_every_text_of_a_script_travels_in_the_page() -> None:
    assert sorted(set(said.in_scripts()) - set(words.WORDS)) == []


_PERCENT = re.compile(r"%\((\w+)\)s")


def test_translations_keep_the_fields() -> None:
    def fields(one: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(one) if name} | set(_PERCENT.findall(one))

    assert [text for text, chinese in known().items() if text and fields(chinese) != fields(text)] == []


def test_the_compiled_file_says_what_the_source_says() -> None:
    read = gnu.GNUTranslations(io.BytesIO(catalogue.compiled(known())))
    assert read.gettext("Log in") == "登录"
    assert read.gettext("nobody says this") == "nobody says this"


@pytest.mark.parametrize("text", ['msgctxt "x"', "msgid unquoted", '"before any"'])
def test_what_is_no_catalogue_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(catalogue.Unreadable, match="line 2"):
        list(catalogue.entries(f"# a comment\n{text}\n"))


def test_the_switch_turns_the_page_and_is_kept(admin: Client) -> None:
    before = admin.get("/c/main/ns/default/pods").content.decode()
    assert 'lang="en"' in before
    assert "中文" in before
    answer = admin.post("/language", {"language": "zh-hans", "next": "/c/main/ns/default/pods?x=1"})
    assert (answer.status_code, answer["Location"]) == (302, "/c/main/ns/default/pods?x=1")
    assert settings.LANGUAGE_COOKIE_NAME in answer.cookies
    after = admin.get("/c/main/ns/default/pods").content.decode()
    assert 'lang="zh-hans"' in after
    assert "default 中没有 Pod" in after
    assert '"Connection lost. Trying again\\u2026": ' in after


def test_the_switch_leads_to_no_other_site(admin: Client) -> None:
    assert admin.post("/language", {"language": "en", "next": "https://example.com/"})["Location"] == "/"


def test_the_story_is_told_in_chinese() -> None:
    waiting = Log().add(0, pod(state={"waiting": {"reason": "PodInitializing"}}))
    with translation.override("zh-hans"):
        story = Story(UID, translate=translation.gettext)
        story.change(waiting.entries[0])
    assert "app 在等待 Init 容器完成。" in [mark["sentence"] for mark in story.marks]


def test_the_whys_of_the_machine_are_told_in_chinese(admin: Client) -> None:
    log = Log().add(0, pod(state={"waiting": {"reason": "ContainerCreating"}}))
    log.entries[0].why = "the pod has no sandbox yet"
    with translation.override("zh-hans"):
        story = Story(UID, translate=translation.gettext)
        story.change(log.entries[0])
        mark = next(mark for mark in story.marks if mark["state"] == "waiting")
        assert mark["why"] == "该 Pod 还没有沙箱"
    why = "liveness probe failed once: <b>no</b>; <i>x</i>"
    key = Key("main", "pods", "default", "web")
    revision = store.create(key, pod(), at=at(0), actor="kubelet", why=why).revision
    address = f"/c/main/ns/default/pods/web?uid={UID}&rev={revision}&tab=yaml"
    english = "liveness probe failed once: &lt;b&gt;no&lt;/b&gt;; &lt;i&gt;x&lt;/i&gt;"
    assert admin.get(address).content.decode().count(english) == 3  # the banner, its title, the YAML's revision
    admin.post("/language", {"language": "zh-hans", "next": "/"})
    page = admin.get(address).content.decode()
    assert page.count("存活探针失败一次：&lt;b&gt;no&lt;/b&gt;; &lt;i&gt;x&lt;/i&gt;") == 3
    assert "<b>no" not in page
