"""Every schedule of the deployed stack, by its own firing."""

from datetime import timedelta

from rehearsal.deployed import Deployed

PROVES = "Each scheduled function runs when its schedule fires, with an account and logs to work on."
A_DAY = timedelta(days=1)


def run(here: Deployed) -> None:
    for customer in here.two:
        customer.send(2, "scheduled")
    here.schedules.forward(A_DAY)
    for customer in here.two:
        customer.finds_exactly(customer.sent)
