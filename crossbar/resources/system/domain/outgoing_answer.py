"""What a server outside answers, of which no more is read than is wanted."""

from __future__ import annotations

from aiohttp import ClientResponse


async def beginning_of(response: ClientResponse, most: int) -> tuple[str, bool]:
    """The first `most` bytes of an answer's body as text, and whether that is all of it.

    The connection of a longer one is given up.
    """
    parts: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        parts.append(piece)
        size += len(piece)
        if size > most:
            response.close()
            break
    return b"".join(parts)[:most].decode("utf-8", "replace"), size <= most
