"""The stateful resources by topology name, and the values of settings that refer to them."""

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
