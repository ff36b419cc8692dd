"""The policy of a cluster as it is now. One small statement says whether the one that this process knows still holds.

`authorizer` asks `of` wherever the lab's grants do not allow something. Bindings of a recorded run do not count: they are
about people of the lab in which it was recorded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from podlab.apis.kinds_rbac import POLICY
from podlab.registry.rbac.policy import Policy
from podlab.storage import policy_rows
from podlab.storage.policy_rows import Stamp

_MOST = 256  # clusters that are kept in mind
_KEYS = tuple(kind.key for kind in POLICY)

_known: OrderedDict[str, tuple[Stamp, Policy]] = OrderedDict()
_lock = threading.Lock()


def of(cluster: str) -> Policy:
    stamp = policy_rows.stamp(cluster, _KEYS)
    if stamp is None or not stamp.count:
        return Policy(cluster, ())
    if not policy_rows.is_settled():
        return Policy(cluster, policy_rows.objects(cluster, _KEYS))
    with _lock:
        known = _known.get(cluster)
    if known is not None and known[0] == stamp:
        return known[1]
    policy = Policy(cluster, policy_rows.objects(cluster, _KEYS))  # never older than the stamp
    with _lock:
        _known[cluster] = (stamp, policy)
        _known.move_to_end(cluster)
        while len(_known) > _MOST:
            _known.popitem(last=False)
    return policy
