"""Remember what moto looks up for each request although it never changes.

moto lists its package's folder to find a request's service, and the methods of a service's class to find the
operation. It formats all addresses of a service to find the handler, and loads S3's list of them anew.
For each of the ten types that an attribute value of DynamoDB may have it tries several spellings, of which
nine times none is there. Each of the ten checks of an update asks every node of the expression for its type,
and the expression is parsed twice. Together they are more than a third of the CPU time of a DynamoDB request.
An answer is made by trying each type for each value.
The patterns of a condition's words are compiled for each word, the clauses of an update are counted below
each node, and each attribute that an item gets has all others measured.
A query of a table sorts and reads the items of all partitions, so that one tenant's items delay the others.
Of its own partition it sorts and measures every item, whatever the range: 29 ms for a tenant of 400 files.
"""

import copy
import pickle
import string
from collections import deque
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.base_backend import BaseBackend
from moto.core.serialize import AttributePicker, AttributePickerContext, BaseJSONSerializer
from moto.dynamodb.comparisons import ConditionExpressionParser, get_comparison_func
from moto.dynamodb.models.dynamo_type import DynamoType, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.parsing import validators
from moto.dynamodb.parsing.ast_nodes import DepthFirstTraverser, Node
from moto.dynamodb.parsing.expressions import UpdateExpressionParser
from moto.moto_api._internal.moto_random import MotoRandom

_LETTERS, _DIGITS = string.ascii_letters, string.digits

SCALARS = {"S": str, "N": str, "BOOL": bool}
"""The types of scalar attributes, and those of their values in an answer."""

ATTRIBUTE_VALUE = "AttributeValue"

SURELY_SMALL = 100_000
"""Characters of an item that is under moto's limit of 405,000 bytes, each of them encoded in up to four."""

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
    _read_conditions_once()
    _count_clauses_once()
    _measure_large_items_only()
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


def _read_conditions_once() -> None:
    """A condition has the same words in each request; moto puts them together in new nodes."""
    read_words = ConditionExpressionParser._lex_condition_expression  # noqa: SLF001 - moto calls it by this name

    @lru_cache(maxsize=1000)
    def words(expression: str) -> tuple[Any, ...]:
        return tuple(read_words(ConditionExpressionParser(expression, None, None)))

    ConditionExpressionParser._lex_condition_expression = (  # noqa: SLF001
        lambda self: deque(words(self.condition_expression))
    )


def _count_clauses_once() -> None:
    """The root of an update has all clauses below it; moto counts them below each node again."""
    count = validators.ActionCountValidator.verify_action_counts
    validators.ActionCountValidator.verify_action_counts = lambda self, node: (
        node if node.parent else count(self, node)
    )


def _measure_large_items_only() -> None:
    """moto measures all attributes of an item for each one that it gets."""
    measure_and_set = LimitedSizeDict.__setitem__

    def set_item(self: LimitedSizeDict, key: str, value: Any) -> None:
        if _characters(key) + _characters(value) + sum(map(_characters, self.values())) > SURELY_SMALL:
            measure_and_set(self, key, value)
        else:
            dict.__setitem__(self, key, value)

    LimitedSizeDict.__setitem__ = set_item


def _characters(value: Any) -> int:
    """The characters of a name or scalar and more; of any other attribute as many as its bytes."""
    if type(value) is not DynamoType:
        return len(str(value))
    scalar = value.value
    return len(scalar) if type(scalar) is str else value.size()


def _answer_with_scalars_at_once() -> None:
    """The value of a scalar attribute is stored as it is answered: `{"S": "a"}`."""
    serialize = BaseJSONSerializer._serialize_type_structure  # noqa: SLF001 - moto calls it by this name
    serialize_map = BaseJSONSerializer._serialize_type_map  # noqa: SLF001

    def serialized(self: BaseJSONSerializer, answer: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == ATTRIBUTE_VALUE and is_scalar(value):
            self._default_serialize(answer, dict(value), shape, key)
        else:
            serialize(self, answer, value, shape, key)

    def map_serialized(self: BaseJSONSerializer, answer: Any, value: Any, shape: Any, key: str) -> None:
        if shape.value.name == ATTRIBUTE_VALUE and all(map(is_scalar, value.values())):
            self._default_serialize(answer, {name: dict(each) for name, each in value.items()}, shape, key)
        else:
            serialize_map(self, answer, value, shape, key)

    BaseJSONSerializer._serialize_type_structure = serialized  # noqa: SLF001
    BaseJSONSerializer._serialize_type_map = map_serialized  # noqa: SLF001


def is_scalar(value: Any) -> bool:
    """Whether this is an attribute value with one type of SCALARS, such as `{"S": "a"}`."""
    if type(value) is not dict or len(value) != 1:
        return False
    ((kind, scalar),) = value.items()
    return type(scalar) is SCALARS.get(kind)


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
    kind, keys = type(node), _keys.setdefault(type(self), {})
    if kind not in keys:
        keys[kind] = _processed_as(self, kind)
    parent = node.parent
    prepares = type(self).pre_processing_of_child is not DepthFirstTraverser.pre_processing_of_child
    for place, child in enumerate(node.children or ()):
        if prepares:
            self.pre_processing_of_child(node, place)
        if isinstance(child, Node):
            _traversed(self, child, place)
    if (key := keys[kind]) is not None:
        node = self._processing_map()[key](node)
        node.parent = parent
        if parent:
            parent.children[child_id] = node
    return node


_keys: dict[type, dict[type, type | None]] = {}
"""For each type of traverser: types of nodes -> the type under which it processes them, or None."""


def _processed_as(traverser: DepthFirstTraverser, kind: type) -> type | None:
    wanted = (key for key in traverser.nodes_to_be_processed() if issubclass(kind, key))
    return next(wanted, None)


def _random_string(
    self: MotoRandom, length: int = 20, include_digits: bool = True, lower_case: bool = False
) -> str:
    """Letters and perhaps digits, all drawn at once."""
    text = "".join(self.choices(_LETTERS + _DIGITS if include_digits else _LETTERS, k=length))
    return text.lower() if lower_case else text
