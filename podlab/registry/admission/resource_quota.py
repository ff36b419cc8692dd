"""ResourceQuota: what a new object would take is booked in the transaction that stores it, or the object is refused.

Because booking happens under the lock of the write, two creates cannot both take the last of something. What goes away is
counted by `controllers.resource_quota`. Source: apiserver/pkg/admission/plugin/resourcequota/controller.go.
"""

from __future__ import annotations

from podlab.apis.types import Manifest
from podlab.registry.admission.plugin import CREATE, UPDATE, Plugin, Request
from podlab.registry.nearby import Held
from podlab.registry.quota import amounts, evaluators, scopes
from podlab.registry.quota.amounts import Amounts
from podlab.storage import store
from podlab.storage.store import Stored

_ALSO_ON_UPDATE = frozenset({evaluators.SERVICES, evaluators.CLAIMS})


class ResourceQuota(Plugin):
    def commit(self, request: Request, held: Held) -> None:
        ctx = request.ctx
        if not ctx.resource.namespaced or not counts(request):
            return
        found = [quota for quota in held.quotas() if _means(request, quota.obj)]
        if not found:
            return
        for quota in found:
            _check_complete(request, quota.obj)
        wanted = _wanted(request)
        more = [(quota, _more(request, quota.obj, wanted)) for quota in found]
        booked = [(quota, _used_then(request, quota.obj, delta)) for quota, delta in more if delta]
        if not ctx.options.dry_run:
            for quota, used in booked:
                _book(request, quota, used)


def counts(request: Request) -> bool:
    """Whether the write may take more of a quota (Handles of the evaluators in pkg/quota/v1/evaluator/core)."""
    if request.resource in evaluators.IGNORED:
        return False
    if request.is_for(evaluators.PODS, UPDATE, subresource="resize"):
        return True
    if request.ctx.subresource:
        return False
    if request.is_for(evaluators.PODS, UPDATE):  # it came under other quotas
        return scopes.is_terminating(request.old or {}) != scopes.is_terminating(request.obj)
    return request.operation == CREATE or (request.operation == UPDATE and request.resource in _ALSO_ON_UPDATE)


def _hard(quota: Manifest) -> Amounts:
    return amounts.parse((quota.get("status") or {}).get("hard"))


def _used(quota: Manifest) -> Amounts:
    return amounts.parse((quota.get("status") or {}).get("used"))


def _means(request: Request, quota: Manifest) -> bool:
    names = evaluators.names_of(request.resource, _hard(quota))
    return bool(names) and evaluators.matches(request.resource, quota, request.obj)


def _check_complete(request: Request, quota: Manifest) -> None:
    """Every container says what the quota counts, and the quota has been counted once."""
    name = quota["metadata"]["name"]
    names = evaluators.names_of(request.resource, _hard(quota))
    if request.resource == evaluators.PODS:
        lacking = evaluators.missing(names, request.obj)
        if lacking:
            raise request.refusal(f"failed quota: {name}: must specify {lacking}")
    if not set(names) <= set(_used(quota)):
        raise request.refusal(f"status unknown for quota: {name}, resources: {','.join(sorted(names))}")


def _wanted(request: Request) -> Amounts:
    wanted = evaluators.usage(request.resource, request.obj, request.ctx.now)
    negative = sorted(name for name, amount in wanted.items() if amount.nano < 0)
    if negative:
        raise request.refusal(f"quota usage is negative for resource(s): {','.join(negative)}")
    return wanted


def _more(request: Request, quota: Manifest, wanted: Amounts) -> Amounts:
    """What the write adds to a quota: all of it, unless the quota meant the object before. Without what is nothing."""
    if request.old is not None and evaluators.matches(request.resource, quota, request.old):
        wanted = amounts.subtract(wanted, evaluators.usage(request.resource, request.old, request.ctx.now))
    return {name: amount for name, amount in wanted.items() if amount.nano}


def _used_then(request: Request, quota: Manifest, delta: Amounts) -> Amounts:
    """The usage of the quota with the object; refused when that is too much."""
    hard, used = _hard(quota), _used(quota)
    wanted = amounts.only(delta, hard)
    then = amounts.add(used, wanted)
    over = amounts.above(amounts.only(then, wanted), hard)
    if over:
        requested, had, limited = (amounts.told(amounts.only(part, over)) for part in (wanted, used, hard))
        name = quota["metadata"]["name"]
        raise request.refusal(f"exceeded quota: {name}, requested: {requested}, used: {had}, limited: {limited}")
    return then


def _book(request: Request, quota: Stored, used: Amounts) -> None:
    status = {**(quota.obj.get("status") or {}), "used": amounts.write(used)}
    ctx = request.ctx
    why = f"{request.name} takes its part of the quota."
    store.update(quota.key, {**quota.obj, "status": status}, expect=quota.revision, at=ctx.now, actor="quota", why=why)
