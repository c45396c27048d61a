"""DynamoDB tables between ministack's memory and the store: definitions, items, stream records."""

import json
from typing import Any

from infra.emulator.store import Store

# Longer than the 24 hours of AWS: a laptop that sleeps over a weekend must not lose records.
STREAM_KEPT_SECONDS = 366 * 86_400


def save_tables(ddb: Any, store: Store) -> None:
    """Store the definitions of the tables; items and records are stored as they change."""
    from ministack.core.persistence import _json_default
    from ministack.core.responses import AccountRegionScopedDict

    tables = AccountRegionScopedDict()
    for scope, table in ddb._tables.all_items():
        kept = {k: v for k, v in table.items() if k not in (ddb._INDEX_MEMBERS, "items")}
        tables.set_scoped(*scope, {**kept, "items": {}})
    state = {
        "tables": tables,
        "tags": ddb._tags,
        "ttl_settings": ddb._ttl_settings,
        "pitr_settings": ddb._pitr_settings,
        "resource_policies": ddb._resource_policies,
    }
    store.set_note("dynamodb", json.dumps(state, default=_json_default))


def load_tables(ddb: Any, store: Store) -> dict[str, int]:
    """Load the tables of the store into ministack.

    Returns the position of the next stream record by "account/region/table".
    """
    from ministack.core.persistence import _json_object_hook

    ddb._STREAM_RETENTION_SECONDS = STREAM_KEPT_SECONDS
    ddb._restore_state(json.loads(store.note("dynamodb") or "{}", object_hook=_json_object_hook))
    tables = {"/".join(scope): table for scope, table in ddb._tables.all_items()}
    for name, pk, sk, body in store.items():
        if name in tables:
            tables[name]["items"][pk][sk] = body
    for table in tables.values():
        ddb._items_replaced(table)
    positions: dict[str, int] = {}
    for name, position, record in store.records():
        scope = name.split("/")
        if name not in tables:
            continue
        if not ddb._stream_records.contains_scoped(*scope):
            ddb._stream_records.set_scoped(*scope, [])
            ddb._stream_trimmed.set_scoped(*scope, position)
        ddb._stream_records.get_scoped(*scope).append(record)
        positions[name] = position + 1
    return positions
