"""moto's expressions of DynamoDB, each parsed once.

moto parses an expression several times for each request, and copies and walks its tree a dozen
times to change one attribute. Here a condition is parsed once for its text and names. An update
that only sets, adds to and removes whole attributes is done without the tree. moto does the rest;
``test_engine`` compares both over random requests.
"""

import re
from typing import Any, NamedTuple

from moto.dynamodb.comparisons import AttributeValue, ConditionExpressionParser
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.parsing.executors import UpdateExpressionExecutor
from moto.dynamodb.parsing.expressions import UpdateExpressionParser  # type: ignore[attr-defined]
from moto.dynamodb.parsing.validators import Validator

_ASSIGNED, _ADDED, _REMOVED = r"(#\w+) = (:\w+)", r"(#\w+) (:\w+)", r"(#\w+)()"
_CLAUSES = {"SET": _ASSIGNED, "ADD": _ADDED, "REMOVE": _REMOVED}


class Step(NamedTuple):
    """One change: ``SET``, ``ADD`` or ``REMOVE``, the attribute, and its new value or the sum."""

    verb: str
    attribute: str
    value: Any


class Steps(list[Step]):
    """What stands for moto's tree of a simple update."""

    def normalize(self) -> None:
        """moto sorts its tree; steps are sorted already."""


class _Condition(NamedTuple):
    node: Any
    names: list[str]
    values: list[str]


_conditions: dict[Any, _Condition] = {}
_updates: dict[str, Any] = {}


def methods() -> dict[tuple[type, str], Any]:
    """{(class, name): what stands there instead of moto's}."""
    parse, operand = ConditionExpressionParser.parse, ConditionExpressionParser._make_operand
    operation = ConditionExpressionParser._make_op_condition
    make = UpdateExpressionParser.make.__func__
    begin, validate = Validator.__init__, Validator.validate
    execute = UpdateExpressionExecutor.execute

    def remembered(self: Any, key: Any) -> Any:
        nodes: list[Any] = []
        self._make_op_condition = lambda node: nodes.append(node) or operation(self, node)
        condition = parse(self)
        names, values = self.expr_attr_names_found, self.expr_attr_values_found
        _conditions[key] = _Condition(nodes[0], list(names), list(values))
        return condition

    def parsed(self: Any) -> Any:
        if not self.condition_expression:
            return parse(self)
        names = self.expression_attribute_names or {}
        key = (self.condition_expression, *sorted(names.items()))
        known = _conditions.get(key)
        if (
            known is None
            or not set(known.values) <= (self.expression_attribute_values or {}).keys()
        ):
            return remembered(self, key)
        self.expr_attr_names_found.extend(known.names)
        self.expr_attr_values_found.extend(known.values)
        return operation(self, known.node)

    def operand_of(self: Any, node: Any) -> Any:
        # A remembered node has the value of the request that it was parsed for.
        if node.kind == self.Kind.EXPRESSION_ATTRIBUTE_VALUE:
            return AttributeValue(self.expression_attribute_values[node.text])
        return operand(self, node)

    def made(cls: Any, expression: str) -> Any:
        if expression not in _updates:
            tree = make(cls, expression)
            tree.simple = _simple(expression)
            _updates[expression] = tree
        return _updates[expression]

    def begun(self: Any, expression: Any, **given: Any) -> None:
        self.steps = _steps(expression.simple, given)
        if self.steps is None:
            begin(self, expression, **given)

    def validated(self: Any) -> Any:
        return validate(self) if self.steps is None else self.steps

    def executed(self: Any, node: Any = None) -> None:
        if not isinstance(self.update_ast, Steps):
            execute(self, node)
            return
        held = self.item.attrs
        for verb, attribute, value in self.update_ast:
            if verb == "REMOVE":
                held.pop(attribute, None)
            else:
                former = held.get(attribute, _ZERO) if verb == "ADD" else None
                held[attribute] = value if former is None else former + value

    return {
        (ConditionExpressionParser, "parse"): parsed,
        (ConditionExpressionParser, "_make_operand"): operand_of,
        (UpdateExpressionParser, "make"): classmethod(made),
        (Validator, "__init__"): begun,
        (Validator, "validate"): validated,
        (UpdateExpressionExecutor, "execute"): executed,
    }


_ZERO = DynamoType({"N": "0"})


def _simple(expression: str) -> list[tuple[str, str, str]] | None:
    """(verb, name, value) of each change; ``None`` if there is anything else."""
    words = re.split(r"\s*\b(SET|ADD|REMOVE)\s+", expression)
    changes: list[tuple[str, str, str]] = []
    if words[0] or len(set(words[1::2])) < len(words[1::2]):
        return None
    for verb, clause in zip(words[1::2], words[2::2], strict=True):
        for change in clause.split(", "):
            match = re.fullmatch(_CLAUSES[verb], change)
            if match is None:
                return None
            changes.append((verb, match[1], match[2]))
    return changes


def _steps(changes: list[tuple[str, str, str]] | None, given: dict[str, Any]) -> Steps | None:
    """The changes with attributes and values; ``None`` if moto must do or refuse them.

    ``given``: what moto's validator is made with, beside the expression.
    """
    names = given["expression_attribute_names"] or {}
    values = given["expression_attribute_values"] or {}
    held, keys = given["item"].attrs, given["table"].table_key_attrs
    steps = Steps()
    for verb, name, value in changes or ():
        attribute = names.get(name)
        if attribute is None or attribute in keys or (value and value not in values):
            return None
        new = DynamoType(values[value]) if value else None
        if verb == "ADD" and not (new.is_number() and held.get(attribute, _ZERO).is_number()):
            return None
        steps.append(Step(verb, attribute, new))
    unique = len({step.attribute for step in steps}) == len(steps)
    return steps if steps and unique else None
