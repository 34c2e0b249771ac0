from .fetcher import Fetched, Fetcher, Manners
from .kept import Kept
from .services import CUTOUT_SERVICES, CutoutService, Order, make_order

__all__ = [
    "CUTOUT_SERVICES",
    "CutoutService",
    "Fetched",
    "Fetcher",
    "Kept",
    "Manners",
    "Order",
    "make_order",
]
