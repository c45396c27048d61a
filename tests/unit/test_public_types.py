"""No public function of the services or the domain passes on a bare ``dict[str, Any]``.

A TypedDict or dataclass says what the data hold. The exceptions are below, by their reason; a
function that is not among them fails the test.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
BARE = "dict[str, Any]"

RULES = "a table of rules/*.json or of a city's folder: its JSON Schema says what it holds"
JSON = "any JSON object, of whatever operation"
PARTS = "a part of an event or of a head: some of its fields, chosen at run time"
AWS = "a message of AWS: its shape is documented there"
SCHEMA = "an answer whose only description is its JSON Schema in routes.schemas"
KEYS = "its keys are data: codes of questions, of measures, of contact methods"
EXCEPTIONS = {
    RULES: """
        domain.actions.city_succession:codes_of domain.city.business_hours:Calendar.from_json
        domain.city.city:City.from_json domain.city.hook:read_hook
        domain.city.service:read_numbers
        domain.city.service:read_service domain.city.service:read_override
        domain.city.unit:read_unit domain.input.redaction:defaults
        domain.notifications.alerts:rules domain.open311.updates:rules domain.principal:roles
        domain.scorecards.measures:table domain.scorecards.measures:measures
        domain.scorecards.statistics:Settings.from_json
        domain.scorecards.statistics:Settings.of_month
        domain.scorecards.statistics:Settings.published
        domain.workflow.table:table domain.workflow.table:published domain.workflow.table:alerts
        services.city.cities:publish services.city.folder_schemas:listed
        services.city.folder_schemas:schema services.map.parameters:limits
    """,
    JSON: """
        domain.input.schema:body domain.input.strict_json:parse
        services.notifications.alerts:send services.platform.set_aside:note_of
        services.platform.signing:sign services.platform.signing:unsign
        services.reports.one_tap_tokens:read
    """,
    PARTS: """
        domain.event_parts:split domain.event_parts:merged domain.hash_chain:seal
        domain.report:Report.to_doc domain.report:Report.from_doc
        domain.report_facts:fold domain.report_facts:public_part
    """,
    AWS: """
        services.notifications.bounces:parse_notice services.notifications.bounces:handle_notice
        services.photos.jobs:handle services.projections.timeline_events:name_of
        services.projections.timeline_events:event_of
    """,
    SCHEMA: """
        domain.open_data.formats:bulk domain.open_data.formats:feature
        services.open311.request_views:to_requests services.open311.requests:request
        services.open311.requests:token services.open311.requests:search
        services.open311.service_list:discovery services.open_data.publishing:listed
        services.people.data_copy:own_data services.people.data_copy:of_report
        services.record.inclusion:days services.record.inclusion:inclusion
        services.reports.city_reference:city services.reports.city_reference:services
        services.reports.pin_correction:extra_answer
        services.scorecards.audits:published services.scorecards.audits:queue
        services.scorecards.card_queries:months services.scorecards.card_queries:month
        services.scorecards.card_queries:card services.scorecards.card_queries:rows
        services.scorecards.compute:ranking
    """,
    KEYS: """
        services.people.report_retention:followers services.reports.engagement:follow
        services.reports.service_attributes:check
    """,
}


def _public(
    body: list[ast.stmt], owner: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if not node.name.startswith("_"):
                yield f"{owner}{node.name}", node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public(node.body, f"{node.name}.")


def _is_bare(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    types = [one.annotation for one in every if one is not None]
    return any(BARE in ast.unparse(kind) for kind in (*types, function.returns) if kind is not None)


def _found() -> set[str]:
    found = set()
    for layer in ("services", "domain"):
        for path in (ROOT / "chalicelib" / layer).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT / "chalicelib").with_suffix("").parts)
            for name, function in _public(ast.parse(path.read_text("utf-8")).body):
                if _is_bare(function):
                    found.add(f"{module}:{name}")
    return found


def test_what_crosses_a_modules_border_has_a_type() -> None:
    allowed = {name for names in EXCEPTIONS.values() for name in names.split()}
    found = _found()
    assert found - allowed == set(), "give these a TypedDict or dataclass, or a reason above"
    assert allowed - found == set(), "these are typed by now: remove them above"
