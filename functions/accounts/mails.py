"""The texts of the mails about signing in."""

HAS_ACCOUNT_SUBJECT = "You already have an AstraLog account"
HAS_ACCOUNT_TEXT = """Somebody, perhaps you, tried to sign up for AstraLog Cloud with this address.

You have an account already: sign in with it, or ask for a new password if you forgot yours. If it was not
you, there is nothing to do: nothing was changed, and nobody was told that you have an account.
"""

NEW_PASSWORD_SUBJECT = "Your AstraLog password was changed"  # noqa: S105 - a line of a mail
NEW_PASSWORD_TEXT = """The password of your AstraLog Cloud account was changed, and every session has ended.

If you changed it, there is nothing to do: log in with the new password. If you did not, set a new one with
POST /v1/password/forgot, then check the API keys and the audit trail of your account.
"""  # noqa: S105 - the text of a mail
