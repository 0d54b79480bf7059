"""The `stripe` child: a small Stripe at a port of the loopback address. See local.stripe and local.child."""

import asyncio
from dataclasses import dataclass

from local.child import configuration
from local.serving import Listener, until_told_to_stop
from local.stripe.application import application


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where to listen, which key opens it, and where events go, if anywhere: a loopback address."""

    port: int
    api_key: str
    webhook_url: str = ""
    webhook_secret: str = ""


async def serve(config: Configuration) -> None:
    """Serve until told to stop. Nothing is kept."""
    built = application(config.api_key, config.webhook_url, config.webhook_secret)
    listener = Listener(built, config.port)
    await listener.open()
    await until_told_to_stop()
    await listener.close()


if __name__ == "__main__":
    asyncio.run(serve(configuration(Configuration)))
