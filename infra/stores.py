"""The stateful resources by topology name, and the values of settings that refer to them."""

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk.aws_dynamodb import Table
from aws_cdk.aws_kms import Key
from aws_cdk.aws_s3 import Bucket
from aws_cdk.aws_secretsmanager import ISecret
from aws_cdk.aws_sqs import Queue

from infra import topology
from infra.mail import MailDelivery
from infra.user_pool import SignInUserPool


@dataclass(frozen=True, slots=True)
class Stores:
    """All resources that hold data. `dead_queues` has the dead-letter queue of each of `queues`.

    `key` encrypts all data at rest; `keys` encrypt single values. `mail_from`: our sender address.
    """

    key: Key
    keys: dict[str, Key]
    people: SignInUserPool
    mail: dict[str, MailDelivery]
    mail_from: str
    buckets: dict[str, Bucket]
    tables: dict[str, Table]
    queues: dict[str, Queue]
    dead_queues: dict[str, Queue]
    secrets: dict[str, ISecret]

    def exported(self) -> Iterator[str]:
        """Each attribute that another stack may refer to, whether one does or not.

        An export that a deployed stack imports can be neither deleted nor changed, and the stack that exports
        is deployed first. So the exports must not depend on what the other stack uses (docs/adr/0034).
        """
        for table in self.tables.values():
            yield from (table.table_name, table.table_arn)
        for bucket in self.buckets.values():
            yield from (bucket.bucket_name, bucket.bucket_arn)
        for queue in self.queues.values():
            yield from (queue.queue_name, queue.queue_arn)
        for dead_queue in self.dead_queues.values():
            yield dead_queue.queue_name
        for key in (self.key, *self.keys.values()):
            yield key.key_arn
        for delivery in self.mail.values():
            yield delivery.configuration_set.configuration_set_name
        yield from (self.people.pool.user_pool_id, self.people.pool.user_pool_arn)
        yield self.people.client.user_pool_client_id

    def setting(self, value: str) -> str:
        """The value of a topology setting at run time: a resource's name, a URL, or `value` itself."""
        kind, _, name = value.partition(":")
        match kind:
            case "bucket":
                return self.buckets[name].bucket_name
            case "table":
                return self.tables[name].table_name
            case "queue":
                return self.queues[name].queue_name
            case "secret":
                return self.secrets[name].secret_name
            case "key":
                return self.keys[name].key_arn
            case "mail":
                return self.mail[name].configuration_set.configuration_set_name
            case "identity":
                return self.people.named[name]
            case "service":
                return topology.SERVICES[name]
            case _:
                return value
