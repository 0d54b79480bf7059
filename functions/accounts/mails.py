"""The texts of the mails about signing in."""

HAS_ACCOUNT_SUBJECT = "You already have an AstraLog account"
HAS_ACCOUNT_TEXT = """A sign-up for AstraLog Cloud was requested with your e-mail address.

You already have an account: sign in, or request a new password if you forgot yours. If you did not request
this, you need not do anything: nothing was changed, and the request did not reveal that you have an account.
"""

NEW_PASSWORD_SUBJECT = "Your AstraLog password was changed"  # noqa: S105 - a line of a mail
NEW_PASSWORD_TEXT = """The password of your AstraLog Cloud account was changed, and every session has ended.

If you changed it, log in with the new password. If you did not, reset the password at once, as for a
forgotten password, then check the API keys and the audit trail of your account.
"""  # noqa: S105 - the text of a mail
