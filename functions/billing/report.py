"""Report: what was counted is told to Stripe, so that it stands on the invoice.

Trigger: the scheduler, every hour. Promise: what each customer's subscription is billed for is what was
counted since it began, each byte told once, whichever answer is lost and whoever dies when
(functions.billing.reporting). Each account's caps are looked after as well.
Failure: a report that Stripe did not answer stays written down and is sent again, or looked for, by the next
run; one tenant's keeps nobody else's from being sent. `OldestReportSeconds` says how long the oldest has been
pending, `ReportsRefused` how many Stripe will not take: alarms hang on both.
"""
