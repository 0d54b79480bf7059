"""Send the records of Python's `logging` to AstraLog Cloud.

handler = astralog.Handler("https://YOUR-ENDPOINT", "YOUR-KEY", service="shop")
logging.getLogger().addHandler(handler)
"""

from astralog._errors import DeliveryError
from astralog._handler import Handler
from astralog._statistics import Statistics
from astralog._version import __version__

__all__ = ["DeliveryError", "Handler", "Statistics", "__version__"]
