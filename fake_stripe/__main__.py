"""The `stripe` child: a small Stripe on a loopback port. See fake_stripe and local.child."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from fake_stripe.application import application
from local.child import configuration
from local.serving import Listener, wait_for_stop_signal


@dataclass(frozen=True, slots=True)
class Configuration:
    """Port and API key; if set, the loopback URL for events and the file that stores the state."""

    port: int
    api_key: str
    webhook_url: str = ""
    webhook_secret: str = ""
    kept_in: str = ""


async def serve(config: Configuration) -> None:
    """Serve until SIGTERM or SIGINT."""
    kept_in = Path(config.kept_in) if config.kept_in else None
    built = application(config.api_key, config.webhook_url, config.webhook_secret, kept_in=kept_in)
    listener = Listener(built, config.port)
    await listener.open()
    await wait_for_stop_signal()
    await listener.close()


if __name__ == "__main__":
    asyncio.run(serve(configuration(Configuration)))
