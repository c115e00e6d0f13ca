"""What an order is, and how it is checked against the catalogue."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from examples.orders.limits import APPROVAL_LIMIT_CENTS

FOLDER = Path(__file__).parent
ORDERS = FOLDER / "orders"
CATALOGUE = FOLDER / "catalogue.json"


@dataclass(frozen=True)
class Line:
    """So many pieces of one product, at the price the customer was shown."""

    sku: str
    quantity: int
    price_cents: int


@dataclass(frozen=True)
class Order:
    """An order as it arrived; nothing in it has been checked."""

    id: str
    customer: str
    card: str
    lines: list[Line]
    total_cents: int


@dataclass(frozen=True)
class Product:
    """What the catalogue knows about an SKU."""

    price_cents: int
    stock: int


Catalogue = dict[str, Product]


def read_orders(path: Path) -> list[Order]:
    """The orders of one file, in its order."""
    return [Order(**{**order, "lines": [Line(**line) for line in order["lines"]]}) for order in json.loads(path.read_text())]


def read_catalogue() -> Catalogue:
    """The products by SKU."""
    return {sku: Product(**product) for sku, product in json.loads(CATALOGUE.read_text()).items()}


def flaws(order: Order, catalogue: Catalogue) -> list[str]:
    """Why the order cannot be accepted; empty if it can."""
    found = []
    if not order.card:
        found.append("no card to charge")
    if not order.lines:
        found.append("nothing is ordered")
    for line in order.lines:
        found += _line_flaws(line, catalogue)
    total_cents = sum(line.quantity * line.price_cents for line in order.lines)
    if order.total_cents != total_cents:
        found.append(f"the total says {euros(order.total_cents)}, the lines add up to {euros(total_cents)}")
    return found


def _line_flaws(line: Line, catalogue: Catalogue) -> list[str]:
    product = catalogue.get(line.sku)
    if product is None:
        return [f"unknown SKU {line.sku!r}"]
    found = []
    if line.quantity < 1:
        found.append(f"{line.quantity} pieces of {line.sku}")
    if line.price_cents != product.price_cents:
        found.append(f"{line.sku} costs {euros(product.price_cents)}, not {euros(line.price_cents)}")
    return found


def wanted(order: Order) -> Counter[str]:
    """How many pieces of each SKU."""
    pieces: Counter[str] = Counter()
    for line in order.lines:
        pieces[line.sku] += line.quantity
    return pieces


def shortage(order: Order, reserved: Counter[str], catalogue: Catalogue) -> str | None:
    """Which product is not in stock in the wanted quantity, given what is reserved already; None if all are."""
    for sku, quantity in wanted(order).items():
        free = catalogue[sku].stock - reserved[sku]
        if quantity > free:
            return f"{quantity} x {sku} wanted, {free} in stock"
    return None


def needs_approval(order: Order) -> bool:
    """Whether a person must agree before anything is reserved or charged."""
    return order.total_cents > APPROVAL_LIMIT_CENTS


def will_ship(order: Order, catalogue: Catalogue) -> bool:
    """How the order must end. The committed orders together fit the stock, except one that exceeds it alone."""
    return not flaws(order, catalogue) and shortage(order, Counter(), catalogue) is None


def euros(cents: int) -> str:
    """An amount for people."""
    return f"€{cents / 100:,.2f}"
