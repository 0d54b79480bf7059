"""An entry of the data inventory: which items of a table are an account's, what is shown, what is erased."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from functions.shared.tenancy import TenantId

PARTITION, ATTRIBUTE = "partition", "attribute"

HIDDEN = "a secret, or data that would reveal one"
INNER = "internal state of the service, not personal data"
ELSEWHERE = "the same as in another file"
FORGOTTEN = "the subject of an erasure, which an export would retain for longer than we do"


@dataclass(frozen=True, slots=True)
class InventoryEntry:
    """The items of one table that belong to an account.

    `key`: the names of the table's key attributes. `found`: PARTITION if the partition keys are those of
    `named(tenant)`; ATTRIBUTE if only the attribute `tenant_id` says whose an item is, and the whole table is
    scanned. `file`: their name in a data export; empty if they are in none. `shows`: attributes, in the order
    of the CSV file's columns. `withholds`: attribute -> why it is not shown. `after_billing`: billing needs
    them until it has closed the account.
    """

    table: str
    key: tuple[str, ...]
    found: str = PARTITION
    named: Callable[[TenantId], tuple[str, ...]] = lambda tenant: (str(tenant),)
    file: str = ""
    shows: tuple[str, ...] = ()
    withholds: Mapping[str, str] = field(default_factory=dict)
    after_billing: bool = False
