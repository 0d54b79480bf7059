"""Remember what moto looks up for each request although it never changes.

moto lists its package's folder to find a request's service, and the methods of a service's class to find the
operation. It formats all addresses of a service to find the handler, and loads S3's list of them anew.
For each of the ten types that an attribute value of DynamoDB may have it tries several spellings, of which
nine times none is there. Each of the ten checks of an update asks every node of the expression for its type,
and the expression is parsed twice. Together they are more than a third of the CPU time of a DynamoDB request.
An answer is made by trying each type for each value.
A query of a table sorts and reads the items of all partitions, so that one tenant's items delay the others.
Of its own partition it sorts and measures every item, whatever the range: 29 ms for a tenant of 400 files.
"""

import copy
import pickle
import string
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.base_backend import BaseBackend
from moto.core.serialize import AttributePicker, AttributePickerContext, BaseJSONSerializer
from moto.dynamodb.comparisons import get_comparison_func
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.moto_api._internal.moto_random import MotoRandom

_LETTERS, _DIGITS = string.ascii_letters, string.digits

SCALARS = {"S": str, "N": str, "BOOL": bool}
"""The types of scalar attributes, and those of their values in an answer."""

_INDEX_NAME = 4
"""Its place among the arguments of Table.query that follow the keys."""

ATTRIBUTE_TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})


@cache
def install() -> None:
    """Shorten these look-ups in this process; a second call changes nothing."""
    _remember_names()
    _remember_addresses()
    _pick_attribute_types_at_once()
    _parse_updates_once()
    _query_one_range()
    _answer_with_scalars_at_once()
    DepthFirstTraverser.traverse_node_recursively = _traversed
    MotoRandom.get_random_string = _random_string


def _remember_names() -> None:
    list_modules, method_names = backends.list_of_moto_modules, responses.method_names_from_class

    @cache
    def modules() -> frozenset[str]:
        return frozenset(list_modules())

    @cache
    def methods(service: Any) -> frozenset[str]:
        return frozenset(method_names(service))

    backends.list_of_moto_modules = modules
    responses.method_names_from_class = methods


def _remember_addresses() -> None:
    """The addresses of a service and their handlers are the same in all regions and accounts."""
    format_urls = BaseBackend.urls.fget
    formatted: dict[type[BaseBackend], dict[str, Any]] = {}

    def urls(self: BaseBackend) -> dict[str, Any]:
        kind = type(self)
        if kind not in formatted:
            formatted[kind] = format_urls(self)
        return formatted[kind]

    BaseBackend.urls = property(urls)


def _pick_attribute_types_at_once() -> None:
    pick = AttributePicker.__call__

    def picked(self: AttributePicker, context: AttributePickerContext) -> Any:
        if context.key in ATTRIBUTE_TYPES and type(context.obj) is dict:
            return context.obj.get(context.key)
        return pick(self, context)

    AttributePicker.__call__ = picked


def _parse_updates_once() -> None:
    """moto parses the expression of an update twice; each use copies the tree before it changes anything."""
    parse = UpdateExpressionParser.make

    @lru_cache(maxsize=1000)
    def parsed(expression: str) -> Any:
        return parse(expression)

    UpdateExpressionParser.make = staticmethod(parsed)
    validators.deepcopy = lambda tree: pickle.loads(pickle.dumps(tree))  # noqa: S301


def _answer_with_scalars_at_once() -> None:
    """The value of a scalar attribute is stored as it is answered: `{"S": "a"}`."""
    serialize = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - moto calls it by this name

    def serialized(self: BaseJSONSerializer, answer: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and type(value) is dict and len(value) == 1:
            (kind, scalar), *_ = value.items()
            if type(scalar) is SCALARS.get(kind):
                self._default_serialize(answer, {kind: scalar}, shape, key)
                return
        serialize(self, answer, value, shape, key)

    BaseJSONSerializer._serialize_type_structure = serialized  # noqa: SLF001


def _query_one_range() -> None:
    query = Table.query

    def queried(
        self: Table,
        hash_key: DynamoType | None,
        comparison: str | None,
        values: Sequence[DynamoType],
        *arguments: Any,
        **named: Any,
    ) -> Any:
        index_name = named.get("index_name", arguments[_INDEX_NAME] if len(arguments) > _INDEX_NAME else None)
        table = self if index_name else _range(self, hash_key, comparison, values)
        return query(table, hash_key, comparison, values, *arguments, **named)

    Table.query = queried


def _range(
    table: Table, hash_key: DynamoType | None, comparison: str | None, values: Sequence[DynamoType]
) -> Table:
    """The same table with the items of one partition only that are in the range; they are not copied."""
    partition = table.items.get(hash_key)
    if partition and comparison and table.range_key_attr:
        is_within, bounds = get_comparison_func(comparison), [each.cast_value for each in values]
        partition = {key: item for key, item in partition.items() if is_within(key.cast_value, *bounds)}
    found = copy.copy(table)
    found.items = {hash_key: partition} if partition else {}
    return found


def _traversed(self: DepthFirstTraverser, node: Any, child_id: int = -1) -> Any:
    """As DepthFirstTraverser does it, with one look-up for the type of a node."""
    kind: Any = type(node)
    if not _is_node(kind):
        return node
    parent = node.parent
    for place, child in enumerate(node.children or ()):
        self.pre_processing_of_child(node, place)
        self.traverse_node_recursively(child, place)
    if (key := _processed_as(self, kind)) is not None:
        node = self._processing_map()[key](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


@cache
def _is_node(kind: type) -> bool:
    return issubclass(kind, Node)


_keys: dict[tuple[type, type], type | None] = {}


def _processed_as(traverser: DepthFirstTraverser, kind: type) -> type | None:
    """The type under which this traverser processes a node of type `kind`; None if it does not."""
    pair = (type(traverser), kind)
    if pair not in _keys:
        wanted = (key for key in traverser.nodes_to_be_processed() if issubclass(kind, key))
        _keys[pair] = next(wanted, None)
    return _keys[pair]


def _random_string(
    self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Letters and perhaps digits, all drawn at once."""
    text = "".join(self.choices(_LETTERS + _DIGITS if include_digits else _LETTERS, k=length))
    return text.lower() if lower_case else text
