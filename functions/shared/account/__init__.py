"""What an account is told and what is written down about it: mails, announcements, the audit trail."""
