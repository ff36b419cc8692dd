"""A lab in this process: cluster main on the simulator, an admin's token, the API without a network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import runner
from django.contrib.auth import get_user_model

from podlab.registry import authorizer, clusters, identity
from podlab.storage import hub


@pytest.fixture
def door(transactional_db: None) -> Iterator[runner.Door]:
    clusters.ensure_main("sim")
    user = get_user_model().objects.create_user("admin")
    identity.grant(user, authorizer.ADMIN)
    yield runner.Door(identity.issue_token(user, "tests"))
    hub.close()
