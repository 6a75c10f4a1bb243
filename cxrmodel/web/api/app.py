"""The application of the interface: its addresses, its description, its errors."""

from typing import Annotated, Final

from fastapi import Depends, FastAPI, Query
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from cxrmodel import __version__
from cxrmodel.messages import Message
from cxrmodel.monitoring.metrics import Metrics
from cxrmodel.web.api import description
from cxrmodel.web.api.health import Health, Ready
from cxrmodel.web.api.problems import problem
from cxrmodel.web.api.readings import Readings
from cxrmodel.web.api.request_log import REQUEST

ADDRESSES: Final = ("/api/{path:path}", "/healthz", "/readyz", "/metrics")
"""What the server leaves to the interface."""
METRICS: Final = "text/plain; version=0.0.4; charset=utf-8"
_CODES: Final = {404: "api.nothing_here", 405: "api.wrong_method"}


def make_api(readings: Readings, health: Health, metrics: Metrics) -> FastAPI:
    """Build the application.

    It has no pages for its description, since they would load scripts from another server.
    """
    api = FastAPI(
        title="cxrmodel",
        description=description.ABOUT,
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    token = HTTPBearer(auto_error=False, description="The token of the file that `[api] token_file` names.")

    @api.post(
        "/api/v1/readings",
        summary=description.SUMMARY,
        description=description.ABOUT,
        operation_id="read",
        response_class=Response,
        responses=description.responses(),
        openapi_extra=description.REQUEST,
        dependencies=[Depends(token)],
    )
    async def read(
        request: Request,
        prevalence: Annotated[str | None, Query(description=description.PREVALENCE)] = None,
        model: Annotated[str | None, Query(description=description.MODEL)] = None,
        results: Annotated[str | None, Query(description=description.RESULTS)] = None,
    ) -> Response:
        # The parameters are declared for the description; the request itself is understood after its token.
        return await readings.answer(request)

    @api.get("/healthz", summary="Whether the server answers", operation_id="healthz", response_class=PlainTextResponse)
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @api.get(
        "/readyz",
        summary="Whether model and store can be used",
        operation_id="readyz",
        response_model=Ready,
        responses={503: {"description": "Not ready.", "model": Ready}},
    )
    async def readyz() -> Response:
        state = await run_in_threadpool(health.ready)
        return JSONResponse(state.model_dump(), 200 if state.ready else 503)

    @api.get("/metrics", summary="Metrics for Prometheus", operation_id="metrics", response_class=PlainTextResponse)
    async def metrics_() -> Response:
        return Response(await run_in_threadpool(metrics.text), media_type=METRICS)

    @api.exception_handler(HTTPException)
    async def refuse(request: Request, error: HTTPException) -> Response:
        message = Message(_CODES.get(error.status_code, "api.nothing_here"))
        return problem(error.status_code, message, str(request.scope[REQUEST]), error.headers)

    return api
