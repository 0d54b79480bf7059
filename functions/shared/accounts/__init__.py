"""Account messages and records: mails, announcements, the audit trail."""
