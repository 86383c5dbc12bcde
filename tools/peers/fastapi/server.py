"""A task from Redis, as a service in Python would answer it: a checked token, one command, an access log.

Environment: REDIS_URL, AUTH_JWKS_URL, AUTH_ISSUER, AUTH_AUDIENCE, and BODY, a file with the answer.
"""

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, AsyncIterator

import jwt
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from redis.asyncio import Redis

KEY = "peers:fastapi"

redis = Redis.from_url(os.environ["REDIS_URL"])
keys = jwt.PyJWKClient(os.environ["AUTH_JWKS_URL"])


@asynccontextmanager
async def filled(_: FastAPI) -> AsyncIterator[None]:
    await redis.set(KEY, Path(os.environ["BODY"]).read_bytes())
    yield
    await redis.aclose()


app = FastAPI(lifespan=filled)


async def caller(credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> dict:
    token = credentials.credentials
    try:
        return jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["ES256"],
            audience=os.environ["AUTH_AUDIENCE"],
            issuer=os.environ["AUTH_ISSUER"],
        )
    except jwt.PyJWTError as error:
        raise HTTPException(401, "the token is not valid") from error


@app.get("/{path:path}")
async def task(path: str, _: Annotated[dict, Depends(caller)]) -> Response:
    return Response(await redis.get(KEY), media_type="application/json")
