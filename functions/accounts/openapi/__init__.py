"""Documentation of the routes of sign-in and of the account; see functions.shared.openapi."""

from functions.accounts.openapi import account, history, keys, saved_searches, sign_in
from functions.shared.openapi import Operations

OPERATIONS: Operations = {
    **sign_in.OPERATIONS,
    **account.OPERATIONS,
    **keys.OPERATIONS,
    **history.OPERATIONS,
    **saved_searches.OPERATIONS,
}
