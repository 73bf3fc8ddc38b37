"""A FastAPI application that sends over a project: `uvicorn fastapi_app:app` in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel

from vero_deliver import Deliverer, Project, User

PROJECT = Project.find(Path(__file__).parent)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One deliverer for the application's life: its connections are kept."""
    async with PROJECT.deliverer() as deliverer:
        app.state.deliverer = deliverer
        yield


def get_deliverer(request: Request) -> Deliverer:
    """The dependency. Tests replace it: app.dependency_overrides[get_deliverer]."""
    deliverer: Deliverer = request.app.state.deliverer
    return deliverer


app = FastAPI(lifespan=lifespan)


class Shipment(BaseModel):
    """An order that has left."""

    email: str
    order: str
    carrier: str
    tracking: str
    due: date


@app.post("/shipments", status_code=202)
async def ship(
    shipment: Shipment, deliverer: Annotated[Deliverer, Depends(get_deliverer)]
) -> dict[str, str]:
    """Tell the customer; with an outbox in the project, once for an order."""
    user = User(email=shipment.email)
    order = {
        "id": shipment.order,
        "carrier": shipment.carrier,
        "tracking": shipment.tracking,
        "tracking_link": f"https://parcels.example/{shipment.tracking}",
        "due": shipment.due,
    }
    [delivery] = await deliverer.send(
        PROJECT.message("order-shipped"),
        user,
        key=f"order-{shipment.order}-shipped",
        data={"order": order},
        contents=["email"],
    )
    return {"key": delivery.key, "state": delivery.state}
