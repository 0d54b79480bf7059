"""What a scenario works with: the deployed service, its surroundings and its first two customers."""

import json
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

from rehearsal.api_client import Api
from rehearsal.cloud import Cloud
from rehearsal.customer import Customer
from rehearsal.mailbox import Mailbox
from rehearsal.schedules import Schedules
from rehearsal.site import CUSTOMERS_USER, WAREHOUSE_USER, Site


@dataclass(slots=True)
class Deployed:
    """One deployed service. `customers` are there once the first scenario has signed them up."""

    site: Site
    cloud: Cloud
    api: Api
    schedules: Schedules
    mailbox: Mailbox
    customers: list[Customer] = field(default_factory=list)

    @property
    def two(self) -> tuple[Customer, Customer]:
        """The two managed customers of all scenarios."""
        first, second = self.customers[:2]
        return first, second

    def joins(self, name: str) -> Customer:
        """Sign up a new customer."""
        customer = Customer(self.api, self.mailbox, name)
        customer.join()
        self.customers.append(customer)
        return customer

    def rows(self, sql: str, user: str = WAREHOUSE_USER) -> list[dict[str, Any]]:
        """The rows of a SELECT in our ClickHouse, without our own code in between."""
        known = self.site.clickhouse_users[user]
        query = urllib.parse.urlencode({"query": f"{sql} FORMAT JSONEachRow", "database": known["database"]})
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.site.clickhouse}/?{query}",
            headers={"X-ClickHouse-User": user, "X-ClickHouse-Key": known["password"]},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
            return [json.loads(line) for line in answer.read().splitlines()]

    def command(self, sql: str) -> None:
        """Run a statement in our ClickHouse, as its operator."""
        known = self.site.clickhouse_users[WAREHOUSE_USER]
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.site.clickhouse}/?database={known['database']}",
            data=sql.encode(),
            headers={"X-ClickHouse-User": WAREHOUSE_USER, "X-ClickHouse-Key": known["password"]},
        )
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - loopback

    def stored(self, tenant: str, user: str = WAREHOUSE_USER) -> int:
        """The rows of a tenant in a ClickHouse, ours or the customer's."""
        found = self.rows(f"SELECT count() AS n FROM events WHERE tenant_id = '{tenant}'", user)  # noqa: S608
        return int(found[0]["n"])

    def stored_at_the_customer(self, tenant: str) -> int:
        """The rows of a tenant in the customer's own ClickHouse."""
        return self.stored(tenant, CUSTOMERS_USER)
