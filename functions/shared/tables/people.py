"""The table `people`: the personal data of those who signed up."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from functions.shared.tables.attributes import IntegerAttribute, TextSetAttribute
from functions.shared.tables.indexes import keys_index
from functions.shared.tables.item import Item

ACCOUNT_INDEX, UNSUBSCRIBE_INDEX = "account", "unsubscribe"


class PersonItem(Item):
    """See functions.accounts.person.Person.

    `asked_emails`, `email_looks`: see functions.accounts.email_copy.
    """

    subject = UnicodeAttribute(hash_key=True)
    tenant_id = UnicodeAttribute()
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    terms_version = UnicodeAttribute()
    terms_accepted_at = UnicodeAttribute()
    marketing_opt_in = BooleanAttribute()
    state = UnicodeAttribute()
    proof = UnicodeAttribute(null=True)
    tried_code = UnicodeAttribute(null=True)
    forget_at = IntegerAttribute(null=True)
    owed = TextSetAttribute()
    sessions_ended_at = IntegerAttribute(null=True)
    ended_sessions = TextSetAttribute()
    asked_emails = TextSetAttribute()
    email_looks = IntegerAttribute(null=True)
    unsubscribe_token = UnicodeAttribute(null=True)

    by_account = keys_index(ACCOUNT_INDEX, "tenant_id", "subject")
    by_token = keys_index(UNSUBSCRIBE_INDEX, "unsubscribe_token")
