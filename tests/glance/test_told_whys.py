"""The whys of the machine in another language: how a text finds its template, and that the sources write none without one."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from podlab.glance import whys
from podlab.glance.why_texts import TEMPLATES
from podlab.web import catalogue

ROOT = Path(__file__).resolve().parents[2]
CHINESE = dict(catalogue.entries((ROOT / "locale/zh_Hans/LC_MESSAGES/django.po").read_text(encoding="utf-8")))


def chinese(text: str) -> str:
    return CHINESE.get(text, text)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("the first init container", "第一个 Init 容器"),
        ("its back-off of 1m20s is over", "它的 1m20s 退避已结束"),
        (
            "web started: it ended with exit code 1 (Error) and restartPolicy is Always; its back-off of 10s is over",
            "web 已启动：它以退出码 1（Error）结束；restartPolicy 是 Always；它的 10s 退避已结束",
        ),
        (
            "main: CrashLoopBackOff: run 3 ended with exit code 3 (Error); restart 3 waits 20s from that end: 10s "
            "doubled once, up to 5m0s; a run longer than 10m0s begins anew",
            "main：CrashLoopBackOff：第 3 次运行以退出码 3（Error）结束；第 3 次重启从那次结束起等待 20s：10s 加倍一次，最长 "
            "5m0s；运行超过 10m0s 则退避从头算起",
        ),
        (
            "a runs; b is not ready: readiness probe failed 3 times in a row: HTTP probe failed with statuscode: 503",
            "a 在运行；b 未就绪：就绪探针连续失败 3 次：HTTP probe failed with statuscode: 503",
        ),
        (
            "sandbox 0 is no longer ready, and restartPolicy Never forbids to start over",
            "沙箱 0 不再就绪，而 restartPolicy Never 不允许重新开始",
        ),
        (
            "No node can take this pod, which requests 250m cpu and 64Mi memory. a: Insufficient cpu, Too many pods; "
            "b: node(s) didn't match pod topology spread constraints (missing required label) (the node has no label "
            "zone). To make room, x (priority 0) must leave a.",
            "没有节点能接收该 Pod，它请求 250m CPU 和 64Mi 内存。a: Insufficient cpu, Too many pods；b: node(s) didn't match "
            "pod topology spread constraints (missing required label) (该节点没有标签 zone)。为腾出空间，x (priority 0) 必须离开 a。",
        ),
        (
            "a is the only node that fits a request of 0m cpu and 0Mi memory. Ruled out: b (Too many pods); c (node(s) "
            "were unschedulable).",
            "只有 a 能满足 0m CPU 和 0Mi 内存的请求。被排除：b (Too many pods)；c (node(s) were unschedulable)。",
        ),
    ],
)
def test_a_why_is_told_in_chinese(why: str, told: str) -> None:
    assert whys.told(chinese, why) == told
    assert whys.unknown(why) == []
    assert whys.told(str, why) == why


@pytest.mark.parametrize(
    "why", ["", "Nobody wrote this.", "x runs y", "it is; so", "{name} ended", "a\nb runs", "; ; "]
)
def test_what_nobody_made_stays(why: str) -> None:
    assert whys.told(chinese, why) == why


def test_only_the_part_that_is_known_is_told() -> None:
    assert whys.told(chinese, "so they say; b runs") == "so they say; b 在运行"
    assert whys.unknown("so they say; b runs") == ["so they say"]
    assert whys.told(chinese, "Nobody uses it any more. Or so.") == "不再有人使用它。 Or so."


def test_what_users_wrote_is_taken_for_neither_template_nor_markup() -> None:
    said = "<b>{run} %(x)s \\1 .*$</b>"
    assert whys.told(chinese, f"liveness probe failed once: {said}") == f"存活探针失败一次：{said}"


@pytest.mark.parametrize(
    "hostile",
    [
        "(a+)+$" * 1300,
        "; ".join(["it ended with and and"] * 350),
        "a: b: " * 1300,
        "No node can take this pod, which requests " + ". " * 3900,
        "pod asks for of , and " * 350,
        "; ".join(["x runs"] * 90),
        "m started: " * 700,
        "x" * 1_000_000,
    ],
)
@pytest.mark.timeout(20)
def test_hostile_text_is_looked_at_once(hostile: str) -> None:
    """Milliseconds each; a search that tries again and again would take hours, and the timeout says so."""
    told = whys.told(chinese, hostile)
    assert told.count("x") == hostile.count("x")
    assert told.count("$") == hostile.count("$")


def test_every_template_is_found_again_with_its_own_fields() -> None:
    """No template takes the texts of another one."""
    for template in TEMPLATES:
        fields = dict.fromkeys(_names(template), "Pod1")
        assert whys.told(chinese, template.format(**fields)) == chinese(template).format(**fields)


def _names(template: str) -> set[str]:
    return {part.partition("}")[0] for part in template.split("{")[1:]}


# What the sources write


def _texts(node: ast.expr) -> Iterator[str]:
    """What an expression may be, "x1" standing for what only a run can tell; nothing if it is all of that."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from itertools.chain(_texts(node.body), _texts(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        parts = [list(_texts(part)) or ["x1"] for part in node.values]
        yield from ("".join(choice) for choice in itertools.product(*parts))
    elif isinstance(node, ast.FormattedValue):
        yield from _texts(node.value)


def _written(tree: ast.AST) -> Iterator[str]:
    """What is given as `why`, at once or through a variable of that name."""
    for scope in ast.walk(tree):
        if isinstance(scope, ast.keyword) and scope.arg == "why":
            yield from _texts(scope.value)
        if not isinstance(scope, ast.FunctionDef):
            continue
        given = [node.value for node in ast.walk(scope) if isinstance(node, ast.keyword) and node.arg == "why"]
        if not any(isinstance(value, ast.Name) and value.id == "why" for value in given):
            continue
        for node in ast.walk(scope):
            if isinstance(node, ast.Assign) and any(
                isinstance(one, ast.Name) and one.id == "why" for one in node.targets
            ):
                yield from _texts(node.value)


ROOMS = ("kubelet", "scheduler", "controllers", "registry", "services", "simhost", "web")


def test_the_sources_write_no_why_without_a_template() -> None:
    paths = [path for room in ROOMS for path in sorted((ROOT / "podlab" / room).rglob("*.py"))]
    written = {
        why for path in paths for why in _written(ast.parse(path.read_text(encoding="utf-8"))) if why.strip("x1 ")
    }
    assert len(written) > 60
    assert sorted(why for why in written if any(part != "x1" for part in whys.unknown(why))) == []
