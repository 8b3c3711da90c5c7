"""The only module that imports the Model Context Protocol's SDK.

It makes the functions of `caduceus.overview.mcp` the tools of a server.
"""

import inspect
import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import ValidationError

import caduceus
from caduceus.errors import CaduceusError
from caduceus.io.validation import suggestion

Tool = Callable[..., dict[str, Any]]


def serve(tools: Sequence[Tool], instructions: str) -> None:
    """Serve a client on standard input and output until it closes them.

    Args:
        tools: functions whose name, docstring and signature describe them; they raise
            `CaduceusError` for errors that a user can fix.
        instructions: what a client should know about all tools.
    """
    server = _Server(
        "caduceus",
        version=caduceus.__version__,
        instructions=instructions,
        log_level="ERROR",
        subscriptions=False,
    )
    for tool in tools:
        server.add_tool(
            _structured(tool),
            description=inspect.getdoc(tool),
            annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
        )
    server.run()


def _structured(tool: Tool) -> Tool:
    """Wrap a tool: its answer as structured content, and as one line of JSON for other clients."""

    @wraps(tool)
    def call(**arguments: Any) -> Any:
        try:
            answer = tool(**arguments)
        except CaduceusError as error:
            raise ToolError(str(error)) from None
        text = json.dumps(answer, ensure_ascii=False)
        content = TextContent(type="text", text=text)
        return CallToolResult(content=[content], structured_content=answer)

    return call


class _Server(MCPServer[Any]):
    """A server whose errors are one line, and which refuses unknown arguments."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Any = None
    ) -> CallToolResult | InputRequiredResult:
        known = {tool.name: tool.input_schema for tool in await self.list_tools()}
        allowed = list(known.get(name, {}).get("properties", {}))
        for argument in arguments:
            if name in known and argument not in allowed:
                hint = suggestion(argument, allowed)
                raise ToolError(
                    f"{name} has no argument {argument!r}{hint}; it has {', '.join(allowed)}"
                )
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            wrong = error.__cause__.errors()[0]
            where = ".".join(map(str, wrong["loc"]))
            raise ToolError(f"{name}: argument {where}: {wrong['msg']}") from None
