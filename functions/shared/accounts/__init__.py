"""Accounts: status, retention, notices, announcements, the audit trail."""
