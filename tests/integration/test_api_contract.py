"""Whatever the OpenAPI document allows, and what it does not, is answered as the document says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from api_process import TOKEN, ApiProcess, api_process
from hypothesis import HealthCheck, Phase, given, settings
from receiver import Receiver
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from worker.intake import article_orders

load_all_checks()
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SKIPPED = {"/api/v1/live"}
"""It has no end."""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> Iterator[ApiProcess]:
    receiver = Receiver()
    patch = pytest.MonkeyPatch()
    # Nobody carries out what is ordered here, and so nobody waits for it.
    patch.setattr(article_orders, "_PATIENCE_SECONDS", 0.05)
    with api_process(tmp_path_factory.mktemp("api"), redis_url, receiver, "[api]\nrequests = 1000000") as process:
        event = process.publish("hh-1")
        process.publish("hh-2", "sport")
        process.get(f"/events/{event['id']}?wait=60s")
        yield process
    patch.undo()
    receiver.close()


def ask_everything(api: ApiProcess, examples: int, *modes: GenerationMode) -> int:
    """Ask each operation so often, in each mode; return how many operations there are."""
    document = api.client.get("/api/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    count = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if operation.path in SKIPPED:
            continue
        count += 1
        for mode in modes:

            @settings(
                max_examples=examples,
                deadline=None,
                database=None,
                derandomize=True,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                headers = {"Authorization": f"Bearer {TOKEN}"}
                kwargs = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
                kwargs.pop("cookies", None)
                if isinstance(kwargs.get("data"), bytes):
                    kwargs["content"] = kwargs.pop("data")
                answer = api.client.request(**kwargs)
                case.validate_response(answer, checks=CHECKS)

            ask()
    return count


def test_what_the_document_allows_is_answered_as_it_says(api: ApiProcess) -> None:
    assert ask_everything(api, 3, GenerationMode.POSITIVE) > 40


@pytest.mark.long
@pytest.mark.timeout(900)
def test_so_is_what_it_does_not_allow(api: ApiProcess) -> None:
    assert ask_everything(api, 60, GenerationMode.POSITIVE, GenerationMode.NEGATIVE) > 40
