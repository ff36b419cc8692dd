"""docs/fidelity.md cannot lie about a Pod's fields: each has a row, each row has tests, and the page is what they say."""

from __future__ import annotations

from tests.fidelity import table


def test_every_field_has_a_row_and_every_row_has_tests_that_exist() -> None:
    assert table.problems() == []


def test_the_page_shows_the_table_of_today() -> None:
    page = table.PAGE.read_text(encoding="utf-8")
    assert page == table.written(page), "run: python -m tests.fidelity"


def test_the_fields_are_those_of_the_schema() -> None:
    assert len(table.leaves()) > 400
    assert {"spec.containers[].env[].valueFrom.fileKeyRef.key", "status.conditions[].type"} <= table.leaves()


def test_the_longest_path_counts() -> None:
    row = table.row_of("spec.containers[].lifecycle.stopSignal")
    assert row is not None
    assert row.docker.startswith("dropped")


def test_a_test_that_does_not_exist_is_noticed() -> None:
    assert table.proof_problem("kubelet/test_probing.py::test_nothing").endswith("there is no such test")
    assert table.proof_problem("kubelet/test_features_on_docker.py::test_a_container_shows[nothing]").endswith(
        "no such case"
    )
