"""Wraps internal functions of ministack (with letters.py), for the one version in setting.py.

ministack keeps everything in memory and writes it to disk only at a regular stop. The wrappers put
every change into the ``Store`` before the request that made it is answered:

    DynamoDB     items, stream records, definitions      kept
    SQS          queues and the messages in them         kept (received again after a crash)
    S3           objects and their metadata              kept (ministack writes these itself)
    SNS, SSM, EventBridge, S3 settings                   kept
    letters      e-mail and SMS "sent" through SES, SNS  kept, nothing leaves the machine

After a crash a message that was being processed is received again, with its receive count at zero,
and a FIFO queue forgets the last five minutes of its deduplication ids. Nothing else is lost.
"""

import json
import re
import uuid
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from infra.emulator.filter_policies import matching
from infra.emulator.letters import Letters
from infra.emulator.saved_tables import load_tables, save_tables
from infra.emulator.store import Item, Message, Record, Store

_CACHES = ("sqs", "sns", "eventbridge", "ssm", "ses", "ses_v2", "kms", "s3")
_ITEM_ACTIONS = frozenset(
    {
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
        "TransactWriteItems",
        "ExecuteStatement",
        "BatchExecuteStatement",
        "ExecuteTransaction",
    }
)
_HARMLESS = ("Get", "List", "Describe", "Query", "Scan", "Batch", "TransactGet", "Search")
# The field of a form that names the action; names of actions are letters and digits.
_ACTION = re.compile(rb"(?:^|&)Action=(\w*)")
_DATA_PLANE = ("Send", "Receive", "DeleteMessage", "ChangeMessage", "Publish", "PutEvents", "Purge")


class Bridge:
    """Wraps ministack's functions so that ``store`` holds every change that was answered."""

    def __init__(self, store: Store) -> None:
        from ministack import app
        from ministack.services import dynamodb

        self.app: Callable[..., Any] = app.app
        self._gateway = app
        self._ddb = dynamodb
        self._modules = {name: app._get_module(name) for name in _CACHES}
        self._store = store
        self._touched: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._positions: dict[str, int] = {}
        self._queued: dict[str, set[str]] = {}
        self._letters = Letters(self._modules["sns"], self._modules["ses"])
        self._undo: list[tuple[Any, str, Any]] = []

    async def call(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """Answer a call of a service whose bodies are JSON, without HTTP's wrapping (direct.py)."""
        status, answered, raw = await self._gateway._dispatch_service_request(
            "POST", "/", {"host": "127.0.0.1", **headers}, body, {}, str(uuid.uuid4())
        )
        return status, answered, raw if isinstance(raw, bytes) else raw.encode()

    # ---- what is kept ------------------------------------------------------------------------

    def flush(self, queues: bool = True) -> None:
        """Write all changes since the last call (also in queues), as one transaction."""
        touched, self._touched = self._touched, {}
        letters = self._letters.take()
        items = [
            Item(table_path, pk, sk, table["items"].get(pk, {}).get(sk))
            for (table_path, pk, sk), table in list(touched.items())
        ]
        records = [
            r
            for table_path in {key[0] for key in list(touched)}
            for r in self._new_records(table_path)
        ]
        messages = self._changed_messages() if queues else []
        if items or records or messages or letters:
            self._store.write(items, records, messages, letters)

    def forget_records(self, stream_arn: str, before: str) -> None:
        """Drop a table's stream records that every consumer has handled.

        ``before`` is the sequence number of the first one to keep.
        """
        table_path = _place(stream_arn)
        account, region, table = table_path.split("/")
        records = self._ddb._stream_records.get_scoped(account, region, table) or []
        count = next(
            (i for i, r in enumerate(records) if r["dynamodb"]["SequenceNumber"] >= before),
            len(records),
        )
        trimmed = self._ddb._stream_trimmed.get_scoped(account, region, table, 0) + count
        del records[:count]
        self._ddb._stream_trimmed.set_scoped(account, region, table, trimmed)
        self._store.forget_records(table_path, trimmed)

    def has_events(self, arn: str, after: str | None) -> bool:
        """Whether the queue holds a message, or the stream a record after the sequence number."""
        if arn.split(":")[2] == "dynamodb":
            records = self._ddb._stream_records.get_scoped(*_place(arn).split("/")) or []
            last = records[-1]["dynamodb"]["SequenceNumber"] if records else ""
            return bool(last > (after or ""))
        queue = self._modules["sqs"]._queue_by_arn(arn)
        return queue is None or bool(queue["messages"])

    def _new_records(self, table_path: str) -> list[Record]:
        scope = table_path.split("/")
        records = self._ddb._stream_records.get_scoped(*scope) or []
        first = self._ddb._stream_trimmed.get_scoped(*scope, 0)
        next_position = self._positions.get(table_path, first)
        self._positions[table_path] = first + len(records)
        fresh = records[max(0, next_position - first) :]
        return [
            Record(table_path, max(next_position, first) + i, body) for i, body in enumerate(fresh)
        ]

    def _changed_messages(self) -> list[Message]:
        changes = []
        for queue in list(self._modules["sqs"]._queues._data.values()):
            arn = queue["attributes"]["QueueArn"]
            known_ids = self._queued.setdefault(arn, set())
            present = {message["id"]: message for message in list(queue["messages"])}
            changes += [Message(arn, i, m) for i, m in present.items() if i not in known_ids]
            changes += [Message(arn, i, None) for i in known_ids - present.keys()]
            self._queued[arn] = set(present)
        return changes

    def restore(self) -> None:
        """Load the store into ministack (which has read its own files before)."""
        self._positions.update(load_tables(self._ddb, self._store))
        sqs = self._modules["sqs"]
        for arn, identity, message in self._store.messages():
            queue = sqs._queue_by_arn(arn)
            if queue is not None:
                queue["messages"].append(message)
                self._queued.setdefault(arn, set()).add(identity)

    # ---- how it is kept ----------------------------------------------------------------------

    def install(self) -> None:
        """Wrap ministack's functions (undone by ``remove``)."""
        ddb, sns, s3 = self._ddb, self._modules["sns"], self._modules["s3"]
        self._wrap(ddb, "_set_item", self._touching)
        self._wrap(ddb, "_remove_item", self._touching)
        self._wrap(ddb, "handle_request", self._keeping_tables)
        # The store has the items; a snapshot would be slow and out of date.
        self._wrap(ddb, "get_state", lambda _original: lambda: None)
        self._wrap(self._modules["sqs"], "get_state", _without_messages)
        for name, module in self._modules.items():
            self._wrap(module, "handle_request", partial(self._keeping_service, name))
        self._wrap(sns, "_publish", self._letters.keeping_texts)
        self._wrap(sns, "_fanout", self._letters.keeping_alerts)
        self._wrap(sns, "_http_post_sync", self._letters.only_loopback)
        # Pure functions that parse the same texts many times: cached.
        self._wrap(ddb, "_condition_syntax_error", lru_cache(1024))
        self._wrap(ddb, "_tokenize", _parsing_once)
        self._wrap(sns, "_resolve_message_for_protocol", lru_cache(64))
        self._wrap(sns, "_matches_filter_policy", lambda original: matching(original, sns))
        # Notify within the request, so that after it no event is outstanding.
        self._wrap(s3, "_fire_s3_event_async", lambda _original: self._notify_now)
        s3.reset()
        s3._load_persisted_data()

    def remove(self) -> None:
        """Unwrap, and empty ministack's memory; the files stay."""
        for owner, name, original in reversed(self._undo):
            setattr(owner, name, original)
        self._undo.clear()
        for module in (self._ddb, *self._modules.values()):
            module.reset()

    def _wrap(self, owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
        original = getattr(owner, name)
        self._undo.append((owner, name, original))
        setattr(owner, name, wrapper(original))

    def _touching(self, original: Any) -> Any:
        def change(table: dict[str, Any], pk: str, sk: str, *rest: Any) -> Any:
            answer = original(table, pk, sk, *rest)
            self._touched[_place(table["TableArn"]), pk, sk] = table
            return answer

        return change

    def _keeping_tables(self, original: Any) -> Any:
        async def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
            action = headers.get("x-amz-target", "").rpartition(".")[2]
            try:
                answer = await original(method, path, headers, body, query)
            finally:
                self.flush(queues=False)
            if action not in _ITEM_ACTIONS and not action.startswith(_HARMLESS) and answer[0] < 300:
                if action == "DeleteTable":
                    description = json.loads(answer[2])["TableDescription"]
                    self._forget_table(_place(description["TableArn"]))
                save_tables(self._ddb, self._store)
            return answer

        return handle

    def _forget_table(self, table_path: str) -> None:
        self._store.forget_items(table_path)
        self._store.forget_records(table_path, 1 << 62)
        self._positions.pop(table_path, None)

    def _keeping_service(self, name: str, original: Any) -> Any:
        async def handle(method: str, path: str, headers: Any, body: Any, query: Any) -> Any:
            try:
                answer = await original(method, path, headers, body, query)
            finally:
                if name.startswith("ses"):
                    self._letters.collect_mails()
                self.flush()
            action = headers.get("x-amz-target", "").rpartition(".")[2] or _form_action(body, query)
            quiet = action.startswith((*_HARMLESS, *_DATA_PLANE)) or method in ("GET", "HEAD")
            if not quiet and not (name == "s3" and not query):
                self._save_service(name)
            return answer

        return handle

    def _save_service(self, name: str) -> None:
        from ministack.core.persistence import save_state

        state = self._modules[name].get_state()
        if state is not None:
            save_state(name, state)

    def _notify_now(self, *arguments: Any, **more: Any) -> None:
        s3 = self._modules["s3"]
        bucket, key, event, *rest = arguments
        if bucket in s3._bucket_notifications:
            named = dict(zip(("size", "etag", "deletion_type"), rest, strict=False))
            s3._fire_s3_event(
                bucket, key, event, sequencer=s3._next_event_sequencer(event), **named, **more
            )


def _place(arn: str) -> str:
    """The "account/region/table" of a table's or its stream's ARN."""
    _, _, _, region, account, resource = arn.split(":", 5)
    return f"{account}/{region}/{resource.split('/')[1]}"


def _form_action(body: Any, query: Any) -> str:
    action = (query or {}).get("Action")
    if action:
        return str(action[0] if isinstance(action, list) else action)
    field = _ACTION.search(body, 0, 65_536) if isinstance(body, bytes) else None
    return field[1].decode() if field else ""


def _parsing_once(original: Any) -> Any:
    known = lru_cache(4096)(original)
    # A new list each time, which the caller may change.
    return lambda expression: list(known(expression))


def _without_messages(original: Any) -> Any:
    def state() -> Any:
        kept = original()
        for queue in kept["queues"].all_values():
            queue["messages"] = []
        return kept

    return state
